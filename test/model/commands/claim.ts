import { expect } from '@jest/globals';
import * as fc from 'fast-check';
import type { JobToken, ClaimedJob } from '../../../lib/job/job.js';
import type { ClaimRequest } from '../../../lib/repository/job-repository.js';
import type { Model } from '../model.js';
import { HOUR, KEEP_FAILED, KEEP_SUCCEEDED, type ModelJob } from '../model-state.js';
import type { RealQueue } from '../real-queue.js';
import { command, pick, pickLikely } from './command.js';
import { TYPES } from './enqueue.js';
import { anyNode, nodeOf } from './nodes.js';
import { recordStarts } from './settle.js';

export const promote = command('promote', {
  argument: fc.constant(undefined),
  async run(model, { fixture }) {
    expect(await fixture.repository.promote(500)).toBe(model.promote());
  },
});

/** As if the types had it, and not always: a node of another release may say something else about its handlers. */
const MANUAL = { ackTimeout: HOUR, retention: { succeeded: KEEP_SUCCEEDED, failed: KEEP_FAILED } };

export const claim = command('claim', {
  argument: fc.record({
    node: anyNode,
    level: fc.nat(),
    limit: fc.constantFrom(1, 1, 2, 4),
    deadline: fc.constantFrom(undefined, HOUR),
    maxCrashes: fc.constantFrom(1, 2),
    manual: fc.constantFrom(undefined, MANUAL),
    starts: fc.boolean(),
  }),
  isPossible: (model) => model.jobs.size > 0 && model.nodes.size > 0,
  async run(model, real, { node, level, starts, ...options }) {
    const { type, priority } = pickLikely(model.jobs.values(), ({ state }) => state === 'waiting', level);
    const tokens = await claimLevel(model, real, { node: nodeOf(model, node).id, type, priority, ...options });
    if (starts && tokens.length > 0) await recordStarts(model, real, tokens);
  },
});

export async function claimLevel(model: Model, real: RealQueue, request: ClaimRequest): Promise<readonly JobToken[]> {
  const { jobs: claimed } = await real.fixture.repository.claim(request);
  const ids = claimed.map(({ id }) => id);
  const expected = model.claimable(request);
  // Jobs behind a mark may be overlooked for a second: then the claim is right for what it could see.
  const from = real.lowWaterMark(request);
  if (from === undefined || ids.join() === expected.join()) expect(ids).toEqual(expected);
  else expect(ids).toEqual(model.claimable(request, from));
  real.advanceLowWaterMark(request, claimed);
  expect(claimed.map(factsOf)).toEqual(model.claim(ids, request).map(factsOf));
  return claimed;
}

export const survey = command('survey', {
  argument: fc.record({ node: fc.nat() }),
  isPossible: (model) => model.nodes.size > 0,
  async run(model, { fixture }, { node: index }) {
    const node = pick(model.nodes.keys(), index);
    const held = model.claims.map(({ id, fence, manual }) => ({ id, fence, manual }));
    const seen = await fixture.repository.survey({ types: TYPES, sweep: true, held, node });
    const next = model.all(({ state }) => state === 'scheduled').map(({ due }) => due - Date.now());
    expect({
      ...seen,
      nextDueIn: undefined,
      ready: seen.ready.toSorted(byType),
      paused: new Set(seen.paused),
      lost: seen.lost.toSorted(byClaim),
    }).toEqual({
      ready: TYPES.flatMap((type) => model.readyLevel(type)).sort(byType),
      nextDueIn: undefined,
      orphans:
        [...model.nodes.values()].some((each) => model.isSilent(each)) ||
        model.all((job) => model.isOrphan(job)).length > 0,
      paused: new Set(model.paused),
      lost: held
        .filter((each) => model.isLost(each, model.holds(each)))
        .map(({ id, fence }) => ({ id, fence }))
        .sort(byClaim),
      misfiled: [],
      claims: model.all((job) => job.node === node).length,
    });
    expect(seen.nextDueIn === undefined).toBe(next.length === 0);
    if (next.length > 0) expect((seen.nextDueIn ?? 0) > 0).toBe(Math.min(...next) > 0);
    expect(await fixture.repository.unhandledTypes()).toEqual(model.unhandledTypes());
  },
});

function byType(a: { type: string }, b: { type: string }): number {
  return a.type < b.type ? -1 : 1;
}

/** What a worker is told about a job must be what the row says. */
function factsOf(job: ClaimedJob | ModelJob) {
  const { id, fence, type, priority, payload, due, retries, crashes, suspect } = job;
  return {
    id,
    fence,
    type,
    priority,
    payload,
    due,
    retries,
    crashes,
    suspect,
    key: job.key ?? null,
    deadline: job.deadline ?? null,
  };
}

function byClaim(a: JobToken, b: JobToken): number {
  return Number(a.id) - Number(b.id) || a.fence - b.fence;
}
