import { UnwritableError } from '../errors/unwritable.error.js';
import type { Settlement } from '../job/settlement.js';
import { PollLoop } from '../support/poll-loop.js';
import { serialiseError } from '../support/serialise-error.js';

const FIRST_PAUSE = 20;
const LONGEST_PAUSE = 1_000;

/**
 * Settlements that have failed in a batch, written one by one beside the other batches: a row that somebody has locked, or a value
 * that the database refuses, holds up nobody else.
 */
export class SettlementRetrier {
  private readonly waiting: Settlement[] = [];
  private readonly loop: PollLoop;
  private pause = FIRST_PAUSE;
  private failures = 0;

  constructor(
    private readonly write: (settlement: Settlement) => Promise<void>,
    private readonly onError: (error: unknown) => void,
  ) {
    this.loop = new PollLoop(
      () => this.writeNext(),
      () => LONGEST_PAUSE,
    );
  }

  get settlements(): readonly Settlement[] {
    return this.waiting;
  }

  add(settlements: readonly Settlement[]): void {
    this.waiting.push(...settlements);
    this.loop.start();
    this.loop.wake();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  private async writeNext(): Promise<number> {
    const next = this.waiting[0];
    if (next === undefined) return LONGEST_PAUSE;
    try {
      await this.write(next);
      this.waiting.shift();
      this.failures = 0;
      this.pause = FIRST_PAUSE;
      return 0;
    } catch (error) {
      this.onError(error);
      this.waiting.shift();
      this.waiting.push(isRefused(error) ? withoutValues(next, error) : next);
      // A pause for each round, not for each settlement: only some of them may be locked.
      this.failures++;
      if (this.failures < this.waiting.length) return 0;
      this.failures = 0;
      this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
      return this.pause;
    }
  }
}

function isRefused(error: unknown): boolean {
  return error instanceof UnwritableError && error.why === 'refused';
}

/** What is left of a settlement with a value that cannot be stored: the job fails, and says why. */
function withoutValues(settlement: Settlement, refusal: unknown): Settlement {
  const { attempt } = settlement;
  const error = { ...serialiseError(refusal instanceof Error ? refusal.cause : refusal), name: 'SettlementRefused' };
  return {
    ...settlement,
    state: 'failed',
    delay: undefined,
    result: undefined,
    notes: undefined,
    attempt: attempt && {
      ...attempt,
      outcome: 'failed',
      reason: 'error',
      error: { name: error.name, message: error.message },
    },
  };
}
