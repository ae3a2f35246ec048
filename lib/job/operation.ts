import type { EntityManager } from 'typeorm';
import type { RecordedError } from '../support/serialise-error.js';
import type { JobContext } from './job-context.js';

/**
 * A row of the application's own table that is due.
 *
 * @publicApi
 */
export interface OperationJob<Payload = unknown> {
  /** The row's key: the same with every load, and of at most 255 characters. */
  readonly id: string | number | bigint;
  /** What the handler gets. A `PermanentJobError` in its place fails the row, and says why. */
  readonly payload: Payload;
  /** A row that is loaded before its time is left alone until then. By default it is due. */
  readonly dueAt?: Date;
  /** A business number to search by. */
  readonly reference?: string;
  readonly traceId?: string;
}

/**
 * What `loadJobs()` is asked for.
 *
 * @publicApi
 */
export interface LoadScope {
  readonly type: string;
  /** Of how many rows more would be of no use. Rows in `exclude` are counted in: they may be left out, or be among them. */
  readonly limit: number;
  /** Ids, as strings, of rows that run or wait for their next attempt: loaded, they are left alone. */
  readonly exclude: ReadonlySet<string>;
  /** Of the application's DataSource, outside of any transaction. */
  readonly manager: EntityManager;
  /** Aborted when the lock is lost, and when loading takes too long: what is loaded then is of no use. */
  readonly signal: AbortSignal;
  /** Of the lock under which the rows will run. */
  readonly fence: number;
}

/**
 * A row that has ended, for `batchUpdateJobs()`.
 *
 * @publicApi
 */
export interface SettledJob<Payload = unknown> extends OperationJob<Payload> {
  readonly outcome: 'succeeded' | 'failed';
  /** What the handler returned, as JSON leaves it. */
  readonly result: unknown;
  /** Why it failed. */
  readonly error: RecordedError | undefined;
  /** 1 for the first execution. */
  readonly attempt: number;
  /** Of the lock under which it ran. */
  readonly fence: number;
}

/**
 * A row that will run again, for `noteRetries()`.
 *
 * @publicApi
 */
export interface RetriedJob<Payload = unknown> extends OperationJob<Payload> {
  readonly outcome: 'retried' | 'continued';
  readonly error: RecordedError | undefined;
  readonly attempt: number;
  /** Milliseconds from the database's now. */
  readonly delay: number;
  readonly fence: number;
}

/**
 * Jobs that are rows of the application's own table: how they are loaded, and how their ends are written. One process at a time does
 * so, under a lock with a fence. Worker pool, retries, timeouts, events and history are those of every job; attempts and the time of
 * the next one are kept in a table of ours, so that a restart forgets nothing.
 *
 *     lock ──► loadJobs ──► handleJob, for each ──► lock the lock's row, check its fence ──► batchUpdateJobs ──► commit
 *
 * Given to a handler as `@JobHandler(type, { operation: { use: MyOperation } })`, or to all of them by
 * `forRoot({ overrides: [{ provide: Operation, useClass: MyOperation }] })`.
 *
 * @publicApi
 */
export abstract class Operation {
  /**
   * Rows that are due, at most `scope.limit` of them, of the primary. A row that has ended must not be among them. By the database's
   * clock, or rows run early or late.
   */
  abstract loadJobs(scope: LoadScope): OperationJob[] | Promise<OperationJob[]>;

  /** Around the handler of each row: `run` calls it. By default nothing else. */
  handleJob(_payload: unknown, _job: JobContext, run: () => Promise<unknown>): unknown {
    return run();
  }

  /**
   * Writes rows that have ended for good, through `manager`, so that they are not loaded any more. The transaction has locked the row
   * of the lock: nobody else can hold it before this is committed. What is written elsewhere may be written more than once.
   */
  abstract batchUpdateJobs(settled: readonly SettledJob[], manager: EntityManager): void | Promise<void>;

  /** In the same transaction, rows that will run again: for those who want to see it in their own table. By default nothing. */
  noteRetries(_retried: readonly RetriedJob[], _manager: EntityManager): void | Promise<void> {}

  /** Called at boot, before anything is loaded: what it throws stops the application, what it answers is warned about. By default nothing. */
  check(_type: string, _manager: EntityManager): readonly string[] | Promise<readonly string[]> {
    return [];
  }
}
