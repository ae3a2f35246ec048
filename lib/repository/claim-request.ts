import type { JobLimits } from '../job/job-limits.js';
import type { ClaimedJob, JobLevel } from '../job/job.js';
import type { Retention } from '../options/resolved-options.js';

export interface ClaimRequest extends JobLevel {
  readonly node: string;
  readonly limit: number;
  /** Milliseconds from the first due time, from the type's `deadline`. */
  readonly deadline: number | undefined;
  /** Kept on the row, because the node that rescues the job may not have its handler. */
  readonly maxCrashes: number;
  /** The type has `ack: 'manual'`: kept on the row, because whoever acknowledges the job may not have its handler. */
  readonly manual?: ManualClaim | undefined;
  /** Of the type, in the whole cluster. Then the priority is not heeded: of each key the best jobs are claimed. */
  readonly limits?: JobLimits | undefined;
  /** Nothing is known to have come since the last claim of the type: what that has seen may be used once more, for a while. */
  readonly again?: boolean | undefined;
}

/** What a claim came to. */
export interface ClaimAnswer {
  readonly jobs: readonly ClaimedJob[];
  /** What is left of what was asked for. `some`: may be claimed at once; `held back`: by a limit, or by somebody who is claiming. */
  readonly left: 'none' | 'some' | 'held back';
  /** In how many milliseconds the next of those that are held back may begin, as far as that is known: a rate says so. */
  readonly freeIn: number | undefined;
}

/** Milliseconds. */
export interface ManualClaim {
  readonly ackTimeout: number;
  readonly retention: Retention;
}
