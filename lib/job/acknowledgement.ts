import type { RecordedError } from '../support/serialise-error.js';
import type { JobState } from './job-state.js';

/**
 * Why an acknowledgement has changed nothing.
 *
 * - `'ended'`: the job has succeeded, failed or been cancelled before, be it by the same message: `state` tells.
 * - `'delivered again'`: `delivery` is of an earlier handling; the job has been handed to somebody else since.
 * - `'not delivered'`: nobody has the job now. Its handler has not run yet, has failed, or its process died: it runs (again).
 * - `'not manual'`: its handler runs without `ack: 'manual'`, and ends the job by itself.
 *
 * @publicApi
 */
export type AcknowledgementRefusal = 'ended' | 'delivered again' | 'not delivered' | 'not manual';

/**
 * The answer to `jobQueue.finish()`, `processing()` and `fail()`. Double and late messages are normal life, and no errors.
 *
 * @publicApi
 */
export interface Acknowledgement {
  /** `false`: nothing was changed, and `reason` says why. */
  readonly accepted: boolean;
  /** The job's state after the call; what was changed is committed with the caller's transaction. */
  readonly state: JobState;
  readonly reason: AcknowledgementRefusal | undefined;
}

/** Checked and serialised already. */
export interface AcknowledgeRequest {
  readonly kind: 'finish' | 'processing' | 'fail';
  /** The fence of the claim whose handler has delivered the job; `undefined`: of whichever is open. */
  readonly delivery: number | undefined;
  /** JSON text of `finish`; `undefined`: what the handler has returned. */
  readonly result: string | undefined;
  /** Of `fail`. */
  readonly error: RecordedError | undefined;
}

/** With what is told about the job. */
export interface AcknowledgedJob extends Acknowledgement {
  readonly type: string;
  readonly attempt: number;
}
