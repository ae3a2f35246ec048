import type { RecordedError } from '../support/serialise-error.js';

/**
 * How an attempt ended. `retried`, `continued`: the job runs again later. `released`: given back at shutdown.
 * `crashed`: its process died and the job runs again elsewhere. `delivered`: the handler of an `ack: 'manual'` job has returned; it stays
 * that when nobody acknowledges the job in time, and becomes `succeeded` or `failed` when somebody does.
 *
 * @publicApi
 */
export type AttemptOutcome = 'succeeded' | 'retried' | 'continued' | 'failed' | 'released' | 'crashed' | 'delivered';

/**
 * Why an attempt did not succeed.
 *
 * @publicApi
 */
export type AttemptReason = 'error' | 'timeout' | 'crash' | 'released' | 'cancelled' | 'expired';

/**
 * One row of a job's history.
 *
 * @publicApi
 */
export interface Attempt {
  /** 1 for the first execution; a release, a continue or a crash does not count it up. */
  readonly attempt: number;
  readonly fence: number;
  /** `host:pid#node` of the process that ran it. */
  readonly node: string;
  /** `undefined` when the attempt ended before its handler was called. */
  readonly startedAt: Date | undefined;
  readonly endedAt: Date;
  readonly outcome: AttemptOutcome;
  readonly reason: AttemptReason | undefined;
  readonly error: RecordedError | undefined;
}

/** What the completer knows about an attempt that has ended. Times are ages, because only the database's clock is stored. */
export interface AttemptEnd {
  readonly attempt: number;
  /** `performance.now()` of this process when the handler was called. */
  readonly startedAt: number | undefined;
  readonly endedAt: number;
  readonly outcome: AttemptOutcome;
  readonly reason: AttemptReason | undefined;
  readonly error: RecordedError | undefined;
}
