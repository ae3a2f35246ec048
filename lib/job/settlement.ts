import type { AttemptEnd } from './attempt.js';
import type { JobToken } from './job.js';
import type { JobNotes } from './job-notes.js';

/** The end of one claim, as data: written only where the row still carries the token's fence. */
export interface Settlement extends JobToken {
  readonly type: string;
  readonly state: 'succeeded' | 'failed' | 'scheduled' | 'waiting';
  /** Milliseconds from the database's now until the job is due again; `undefined` leaves its due time as it is. */
  readonly delay: number | undefined;
  readonly usesRetry: boolean;
  /** JSON text. */
  readonly result: string | undefined;
  /** Milliseconds to keep a job that has ended; 0 deletes it at once. */
  readonly keep: number | undefined;
  /** Whether its handler has used steps: they are deleted with the job. */
  readonly hasSteps: boolean;
  /** Its handler has `ack: 'manual'`: somebody may have acknowledged the job before the handler returned, and then the claim is not lost. */
  readonly manual: boolean;
  /** What the handler has logged and not been written yet. */
  readonly notes: JobNotes | undefined;
  /** `undefined`: the handler was never called, so nothing goes into the history. */
  readonly attempt: AttemptEnd | undefined;
}

/** Whether nothing follows. */
export function hasEnded({ state }: Settlement): boolean {
  return state === 'succeeded' || state === 'failed';
}

/** Gives the job back as it was: the node stops, or the job was claimed too much. */
export function releaseOf(token: JobToken & { readonly type: string }, attempt?: AttemptEnd): Settlement {
  return {
    id: token.id,
    fence: token.fence,
    type: token.type,
    state: 'waiting',
    delay: undefined,
    usesRetry: false,
    result: undefined,
    keep: undefined,
    hasSteps: false,
    manual: false,
    notes: undefined,
    attempt,
  };
}
