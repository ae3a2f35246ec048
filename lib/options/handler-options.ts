import type { Backoff } from '../job/backoff.js';
import type { JobLimits } from '../job/job-limits.js';
import type { StandardSchema } from '../job/standard-schema.js';
import type { Duration } from '../support/duration.js';
import type { OperationOptions } from './operation-options.js';

/**
 * How the jobs of one type are run: given to `@JobHandler()` or `defineJob()`, and overridden by `forRoot({ handlers })`.
 *
 * @publicApi
 */
export interface JobHandlerOptions {
  /**
   * Executions after the first one that failed. The job is executed `maxRetries + 1` times at the most; continues, releases
   * and crashes do not count. `Infinity`: for as long as it takes.
   * @default 3
   */
  maxRetries?: number;
  /**
   * The wait before a retry, and the first step of an exponential backoff.
   * @default '10s'
   */
  waitTime?: Duration;
  /** @default 'fixed' */
  backoff?: Backoff;
  /**
   * Jobs of this type that this process runs at once.
   * @default 100
   */
  concurrency?: number;
  /**
   * Jobs of this type that run at once in the whole cluster, 1 to 1000. A job that `ack: 'manual'` has handed over is not counted. By default
   * there is no limit.
   */
  globalConcurrency?: number;
  /**
   * How many jobs with the same key run at once in the whole cluster: 1 to 1000. `from` finds the key in the payload as JSON leaves it,
   * at enqueue or, where the process that enqueues does not know it, before the job is claimed; it must be quick, and always answer
   * the same. Jobs without a key share one limit. By default there is none.
   */
  concurrencyKey?: { from: (payload: never) => string | number | null | undefined; limit: number };
  /**
   * At most `max` jobs of this type, 1 to 1000, begin in any time of the length `per`, in the whole cluster. For more, give a shorter
   * `per`. By default there is no limit.
   */
  rateLimit?: { max: number; per: Duration };
  /**
   * The longest an attempt may take: then `job.signal` is aborted. The slot stays taken until the handler's promise settles.
   * @default '15m'
   */
  timeout?: Duration;
  /**
   * How long after its first due time the job may still be started; later it fails as `expired`. By default there is no limit.
   */
  deadline?: Duration;
  /**
   * How often this job may take its process down with it before it fails as `crash`. A first crash is never held against a
   * job, because others died with it; on its last chance it runs alone.
   * @default 3
   */
  maxCrashes?: number;
  /**
   * Runs the handler inside `job.transaction()`: what it writes through `job.manager` and the end of its job are committed together
   * or not at all. It holds a connection of the application's pool while it runs.
   * @default false
   */
  transactional?: boolean;
  /** The jobs are rows of a table of the application's: see `Operation`. By default they are those that `enqueue` stores. */
  operation?: OperationOptions;
  /**
   * `'manual'`: a handler that returns has only handed the job over. The job stays `running`, without a slot here, until
   * `jobQueue.finish(id)` or `fail(id)` is called, by any process that may enqueue. What the handler returns becomes the result unless
   * `finish` gives one. Throwing, and every `JobOutcome`, mean what they always do.
   * @default 'auto'
   */
  ack?: 'auto' | 'manual';
  /**
   * With `ack: 'manual'`: how long after the handler's return the job may be acknowledged, before it is handled again; that uses up
   * a retry. `jobQueue.processing(id)` begins the time anew.
   * @default '15m'
   */
  ackTimeout?: Duration;
  /** How long jobs of this type are kept after their end; 0 deletes them at once. By default as the module says. */
  retention?: { succeeded?: Duration; failed?: Duration };
  /**
   * What payloads are like: a schema of zod, valibot, arktype or any other library of Standard Schema. It is asked twice. At enqueue, where
   * this process knows it: what it refuses is an `InvalidPayloadError`, and nothing is written. And before the handler is called, also for
   * payloads of plain SQL: what it refuses then fails the job for good. Both times it sees the payload as JSON leaves it. What is
   * stored is the payload as it was given: what the schema makes of it, its defaults and transforms, is made when the job runs, once, and
   * is what the handler gets. Of a `@MultiStepJob()` it is the first context.
   */
  schema?: StandardSchema;
  /** For people: shown where jobs are listed. */
  description?: string;
}

/** Handler options with every default filled in; durations are milliseconds. */
export interface ResolvedHandlerOptions {
  readonly maxRetries: number;
  readonly waitTime: number;
  readonly backoff: Backoff;
  readonly concurrency: number;
  /** `undefined`: none but this process's own. */
  readonly limits: JobLimits | undefined;
  readonly timeout: number;
  readonly deadline: number | undefined;
  readonly maxCrashes: number;
  readonly transactional: boolean;
  readonly operation: OperationOptions | undefined;
  /** `undefined`: the handler's return is the job's end. */
  readonly ackTimeout: number | undefined;
  readonly retention: { readonly succeeded: number | undefined; readonly failed: number | undefined };
  readonly schema: StandardSchema | undefined;
  readonly description: string | undefined;
}
