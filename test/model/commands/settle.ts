import { expect } from '@jest/globals';
import * as fc from 'fast-check';
import type { AttemptEnd } from '../../../lib/job/attempt.js';
import type { JobToken } from '../../../lib/job/job.js';
import { releaseOf, type Settlement } from '../../../lib/job/settlement.js';
import type { Model } from '../model.js';
import { DAY, HOUR, type ModelClaim } from '../model-state.js';
import type { RealQueue } from '../real-queue.js';
import { command, pickLikely } from './command.js';

const NODE = 'host:1#1';

const ENDS = {
  succeed: { outcome: 'succeeded', state: 'succeeded', keep: 7 * DAY },
  succeedUnkept: { outcome: 'succeeded', state: 'succeeded', keep: 0 },
  fail: { outcome: 'failed', state: 'failed', keep: 30 * DAY },
  failUnkept: { outcome: 'failed', state: 'failed', keep: 0 },
  retry: { outcome: 'retried', state: 'waiting', delay: 0, usesRetry: true },
  retryLater: { outcome: 'retried', state: 'scheduled', delay: HOUR, usesRetry: true },
  continue: { outcome: 'continued', state: 'waiting', delay: 0 },
  continueLater: { outcome: 'continued', state: 'scheduled', delay: HOUR },
  deliver: { outcome: 'delivered', state: 'scheduled', delay: HOUR },
  release: { outcome: 'released', state: 'waiting' },
} as const satisfies Record<string, { outcome: AttemptEnd['outcome'] } & Partial<Settlement>>;

type End = keyof typeof ENDS | 'releaseUnstarted';

const end = fc.constantFrom(...(Object.keys(ENDS) as End[]), 'releaseUnstarted' as const);
interface ClaimChoice {
  readonly which: 'held' | 'overtaken' | 'lost';
  readonly index: number;
}

/** Half of them are still held; the others come late: while the job runs elsewhere, after its end, or for the second time. */
const claim: fc.Arbitrary<ClaimChoice> = fc.record({
  which: fc.constantFrom('held', 'held', 'held', 'overtaken', 'lost', 'lost'),
  index: fc.nat(),
});
const ends = fc.array(fc.record({ claim, end }), { minLength: 1, maxLength: 4 });

export const start = command('start', {
  argument: fc.array(claim, { minLength: 1, maxLength: 3 }),
  isPossible: hasClaims,
  run: (model, real, claims) => recordStarts(model, real, distinct(claims.map((each) => claimOf(model, each)))),
});

export async function recordStarts(model: Model, { fixture }: RealQueue, tokens: readonly JobToken[]): Promise<void> {
  const starts = tokens.map(({ id, fence }) => ({ id, fence, ago: 0 }));
  expect(await fixture.repository.recordStarts(starts)).toEqual(model.start(tokens));
}

export const settle = command('settle', {
  argument: fc.record({ ends, times: fc.constantFrom(1, 1, 2) }),
  isPossible: hasClaims,
  async run(model, { fixture }, { ends: chosen, times }) {
    const settlements = distinct(chosen.map((each) => settlementOf(claimOf(model, each.claim), each.end)));
    for (let time = 0; time < times; time++)
      expect(await fixture.repository.settle(settlements, NODE)).toEqual(model.settle(settlements, NODE));
  },
});

/** Together with the application's own writes, or not at all. */
export const settleInTransaction = command('settleInTransaction', {
  argument: fc.record({ claim, end, commits: fc.boolean() }),
  isPossible: hasClaims,
  async run(model, { fixture }, { commits, ...chosen }) {
    const settlement = settlementOf(claimOf(model, chosen.claim), chosen.end);
    const rollback = new Error('the application rolls back');
    let held: boolean | undefined;
    const settled = fixture.queue.transaction(async (manager) => {
      held = await fixture.repository.settleIn(manager, settlement, NODE);
      if (!held || !commits) throw rollback;
    });
    const isHeld = model.holds(settlement);
    if (isHeld && commits) await settled;
    else await expect(settled).rejects.toBe(rollback);
    expect(held).toBe(isHeld);
    if (isHeld && commits) model.settle([settlement], NODE);
  },
});

function hasClaims(model: Readonly<Model>): boolean {
  return model.claims.length > 0;
}

/** The latest first: a sequence that goes on with what it has just claimed gets further. */
function claimOf(model: Model, { which, index }: ClaimChoice): ModelClaim {
  const matches = {
    held: (each: ModelClaim) => model.holds(each),
    overtaken: (each: ModelClaim) => model.isOvertaken(each),
    lost: (each: ModelClaim) => !model.holds(each),
  };
  return pickLikely(model.claims.toReversed(), matches[which], index);
}

function settlementOf(token: ModelClaim, chosen: End): Settlement {
  const { manual } = token;
  if (chosen === 'releaseUnstarted') return { ...releaseOf(token), manual };
  // Only a manual handler delivers.
  const { outcome, ...fields } = ENDS[chosen === 'deliver' && !manual ? 'retryLater' : chosen];
  const now = performance.now();
  const reason = ['succeeded', 'continued', 'delivered'].includes(outcome) ? undefined : 'error';
  const attempt = {
    attempt: token.retries + 1,
    startedAt: now,
    endedAt: now,
    outcome,
    reason,
    error: undefined,
  } as const;
  return { ...releaseOf(token, attempt), ...fields, manual };
}

/** One claim is settled once in a batch; two claims of one job may meet there. */
function distinct<Token extends { id: string; fence: number }>(tokens: readonly Token[]): Token[] {
  return [...new Map(tokens.map((token) => [`${token.id}:${token.fence}`, token])).values()];
}
