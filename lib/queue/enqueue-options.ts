import type { Job, KeyScope } from '../job/job.js';
import type { JobManager } from '../repository/job-repository.js';
import type { Duration } from '../support/duration.js';

/**
 * Options of one enqueue. All are optional.
 *
 * @publicApi
 */
export interface EnqueueOptions {
  /**
   * Your transaction: the job is committed with it, or not at all. Without it, that is the transaction the calling code is inside
   * of: of `jobQueue.transaction()`, typeorm-transactional or @nestjs-cls/transactional. `null`: none; as outside of any, the job
   * is committed when `enqueue` resolves.
   */
  manager?: JobManager | null;
  /** At most 255 characters. While a job of this type has this key, a second enqueue writes nothing and answers the first one's id. */
  key?: string;
  /**
   * How long the job has its key to itself: `'row'` until it is pruned, `'open'` until it ends, `'forever'` always.
   * @default 'row'; 'forever' for a type that has a `@MultiStepJob()` class in this process
   */
  keyScope?: KeyScope;
  /**
   * What a second enqueue with the key does: `'return'` answers the first job's id; `'error'` does so only if the payload is the
   * same, byte by byte as JSON, and throws `KeyTakenError` otherwise.
   * @default 'return'
   */
  onConflict?: 'return' | 'error';
  /**
   * 0–9, larger first, within a type.
   * @default 0
   */
  priority?: number;
  /** Earliest start, from the database's now. */
  delay?: Duration;
  /** Not started any more after this time: the job then fails as `expired`. */
  deadline?: Date;
  /** A business number to search by; at most 255 characters. */
  reference?: string;
  /** Handed to the handler; at most 255 characters. */
  traceId?: string;
  /** Executions after the first one that failed, of this job: instead of what its handler says. `Infinity`: for as long as it takes. */
  maxRetries?: number;
  /** How long this job is kept after its end, instead of what its handler says; 0 deletes it at once. A cancelled one as a failed one. */
  retention?: { succeeded?: Duration; failed?: Duration };
}

/**
 * One job of `enqueueMany()`.
 *
 * @publicApi
 */
export interface JobRequest<Payload = unknown> extends Omit<EnqueueOptions, 'manager'> {
  payload: Payload;
  /** Earliest start; a time that has passed means now. Not together with `delay`. */
  at?: Date;
}

/**
 * Which page of `find()`.
 *
 * @publicApi
 */
export interface PageOptions {
  /**
   * 1 to 1,000.
   * @default 100
   */
  limit?: number;
  /** The `next` of the page before, found with the same filter. */
  after?: string;
}

/**
 * One page of `find()`, newest first.
 *
 * @publicApi
 */
export interface JobPage {
  readonly jobs: Job[];
  /** For the next page; `undefined` when this is the last. */
  readonly next: string | undefined;
}
