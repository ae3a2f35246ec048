import type { LeaseLostError } from '../errors/lease-lost.error.js';
import type { ClaimedJob } from '../job/job.js';

/** The claim whose steps they are. */
export interface StepOwner {
  readonly job: ClaimedJob;
  /** Its claim is over: nothing that it still does counts. */
  readonly isAbandoned: boolean;
  readonly signal: AbortSignal;
  abandon(why: LeaseLostError['why']): void;
}
