import type { RecordedError } from '../support/serialise-error.js';
import type { JobState } from './job-state.js';

/**
 * A job as it stands in the database: what `JobQueue.get()` answers.
 *
 * @publicApi
 */
export interface Job<Payload = unknown> {
  /** Opaque: compare it, store it, do not calculate with it. */
  readonly id: string;
  readonly type: string;
  readonly state: JobState;
  /** As JSON left it: a Date that was enqueued is a string here. */
  readonly payload: Payload;
  /** What the handler returned; `undefined` until the job has succeeded with a value. */
  readonly result: unknown;
  /** What the handler told last with `job.progress()`. */
  readonly progress: unknown;
  /** 0–9, larger first. */
  readonly priority: number;
  readonly key: string | undefined;
  /**
   * What its type's `concurrencyKey.from` has answered. `undefined`: it answers nothing for this payload, the type has no such keys, or
   * the job was stored by a process that knows none, and no node has looked at it yet.
   */
  readonly concurrencyKey: string | undefined;
  readonly reference: string | undefined;
  readonly traceId: string | undefined;
  readonly dueAt: Date;
  readonly deadline: Date | undefined;
  readonly createdAt: Date;
  readonly finishedAt: Date | undefined;
  /**
   * When the latest handler with `ack: 'manual'` returned. An open job with it waits for `jobQueue.finish()`, until `dueAt`; then it is
   * handled again.
   */
  readonly deliveredAt: Date | undefined;
  /** Retries used so far. */
  readonly retries: number;
  /** Deaths of a process that are held against this job: see `maxCrashes`. */
  readonly crashes: number;
  /** Raised by every claim and every rescue: a write that carries an older fence changes nothing. */
  readonly fence: number;
  readonly lastError: RecordedError | undefined;
}

/**
 * How long a job has its key to itself: `'row'` until it is pruned, `'open'` until it ends, `'forever'` always.
 *
 * @publicApi
 */
export type KeyScope = 'row' | 'open' | 'forever';

/** What the repository is asked to store. Checked and serialised already: nothing in it can be refused by a database. */
export interface NewJob {
  readonly type: string;
  /** JSON text. */
  readonly payload: string;
  readonly priority: number;
  /** `UNFILED`: whoever would claim it finds out, if its type has keys. */
  readonly concurrencyKey: string;
  readonly due: DueTime;
  readonly key: string | undefined;
  readonly keyScope: KeyScope;
  /** A taken key is an error when the first job has another payload. */
  readonly refusesOtherPayload: boolean;
  readonly reference: string | undefined;
  readonly traceId: string | undefined;
  /** UTC epoch milliseconds. */
  readonly deadline: number | undefined;
  /** Of this job; `undefined` as its type says. */
  readonly maxRetries: number | undefined;
  readonly retention: JobRetention;
}

/** Milliseconds to keep one job after its end; 0 deletes it at once, `undefined` leaves it to its type. */
export interface JobRetention {
  readonly succeeded: number | undefined;
  readonly failed: number | undefined;
}

export const AS_ITS_TYPE: JobRetention = { succeeded: undefined, failed: undefined };

/** `delay`: milliseconds from the database's now; `at`: UTC epoch milliseconds, the past meaning now. */
export type DueTime = { readonly delay: number } | { readonly at: number };

/**
 * The answer to an enqueue.
 *
 * @publicApi
 */
export interface EnqueuedJob {
  /** The new job's id, or the id of the first job with the same key. */
  readonly id: string;
  /** `false`: a job with this key is there already and nothing was written. */
  readonly created: boolean;
}

/** The right to write about one claim of a job: valid while the row carries the same fence. */
export interface JobToken {
  readonly id: string;
  readonly fence: number;
}

/** A job that this node has claimed and may run. */
export interface ClaimedJob extends JobToken {
  readonly type: string;
  /** JSON text, or `null` where plain SQL left it out. Plain SQL may also have written something that is not JSON. */
  readonly payload: string | null;
  readonly priority: number;
  readonly key: string | undefined;
  readonly reference: string | undefined;
  readonly traceId: string | undefined;
  readonly due: number;
  readonly created: number;
  /** UTC epoch milliseconds after which the job is not started any more. */
  readonly deadline: number | undefined;
  readonly retries: number;
  /** Of this job; `undefined` as its type says. */
  readonly maxRetries: number | undefined;
  readonly retention: JobRetention;
  readonly crashes: number;
  /** It was running on a node that died: its start is committed before its handler runs, so that a crash can be held against it. */
  readonly suspect: boolean;
  /** The database's clock at the claim. */
  readonly now: number;
}

/** All that a job can have. */
export const PRIORITIES: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/** The claim index is read level by level: one job type at one priority. */
export interface JobLevel {
  readonly type: string;
  readonly priority: number;
}
