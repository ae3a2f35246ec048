import type { AttemptReason } from '../job/attempt.js';
import type { RecordedError } from '../support/serialise-error.js';

/** Why an attempt ends between two steps or in the middle of one, without the job's own retries having a say. Times are milliseconds. */
export type Suspension =
  /** The job sleeps, or a step wants to look again. */
  | { readonly kind: 'sleep'; readonly after: number }
  /** This node stops: another one goes on. */
  | { readonly kind: 'release' }
  /** A step failed and has retries left. */
  | { readonly kind: 'retry'; readonly after: number; readonly error: RecordedError; readonly reason: AttemptReason }
  /** A step failed for good. */
  | { readonly kind: 'fail'; readonly error: RecordedError; readonly reason: AttemptReason }
  /** The definition here cannot go on with what an older one has begun: another node may. */
  | { readonly kind: 'incompatible' };

/** Ends a handler whose attempt is over. Whether it gets to the end, or somebody catches it, does not matter: the journal knows. */
export class Suspended extends Error {
  constructor() {
    super('This attempt of the job is over, and another one will go on from here: let this error pass.');
    this.name = 'Suspended';
  }
}
