import type { Observable } from 'rxjs';
import type { EntityManager } from 'typeorm';
import type { Duration } from '../support/duration.js';
import type { Jsonified } from './jsonified.js';

/**
 * Options of `job.step()`.
 *
 * @publicApi
 */
export interface StepOptions {
  /**
   * Effects exactly once: what the step writes through the manager that it is given, and its record, are committed together or
   * not at all.
   * @default false
   */
  transactional?: boolean;
}

/**
 * What a handler gets as its second argument.
 *
 * @publicApi
 */
export interface JobContext {
  readonly id: string;
  readonly type: string;
  /**
   * The number of this handling of the job, larger each time. With `ack: 'manual'`, whoever acknowledges the job gives it back
   * (`jobQueue.finish(id, { delivery })`), so that a late answer to an earlier handling changes nothing.
   */
  readonly delivery: number;
  /** 1 for the first execution, 2 for the first retry. */
  readonly attempt: number;
  /** `maxRetries + 1`, of the job or of its type. */
  readonly maxAttempts: number;
  readonly key: string | undefined;
  readonly reference: string | undefined;
  readonly traceId: string | undefined;
  readonly dueAt: Date;
  readonly createdAt: Date;
  /** Aborted at `timeout` (reason: `JobTimeoutError`), and when this node may not run the job any more (reason: `LeaseLostError`). */
  readonly signal: AbortSignal;
  /**
   * Keeps a line with the attempt: at most 1,000 of 2,000 characters each. Written with the next beat or the job's end, and read by
   * `jobQueue.log(id)`.
   */
  log(message: string): void;
  /**
   * Effects exactly once: runs `work` in a transaction of the application's DataSource and completes the job in it. What `work` has
   * written and the job's end are committed together, or neither is. What `work` returns is the job's result, or a `JobOutcome`; what
   * it throws rolls back. An enqueue inside of it joins. With `ack: 'manual'` it delivers the job instead of ending it. Once per attempt, and nothing the handler does later counts any more.
   *
   * @throws LeaseLostError, after the rollback, when the job was cancelled or given to another node meanwhile.
   * @throws JobCompletedError for a second call.
   */
  transaction<T>(work: (manager: EntityManager) => Promise<T>): Promise<T>;
  /**
   * The transaction of a `transactional` handler.
   *
   * @throws NoJobManagerError in any other handler.
   */
  readonly manager: EntityManager;
  /**
   * Runs `work` once: its result is saved, and is what every later attempt of the job gets without running it again. As JSON
   * leaves it, the first time too. What it throws is thrown on, and the step runs again with the next attempt. An Observable is awaited.
   *
   * @throws InvalidStepError for a name that was used before in this attempt, for a result that cannot be saved, and inside of a
   * transaction.
   */
  step<T>(
    name: string,
    work: (manager: EntityManager) => T | Promise<T> | Observable<T>,
    options: StepOptions & { transactional: true },
  ): Promise<Jsonified<T>>;
  step<T>(name: string, work: () => T | Promise<T> | Observable<T>, options?: StepOptions): Promise<Jsonified<T>>;
  /**
   * Ends the attempt, frees its slot, and has the job run again after this time, on any node: then it returns at once. It uses up no
   * retry. The time counts from the first call; a restart forgets nothing.
   */
  sleep(name: string, duration: Duration): Promise<void>;
  /** The same until a time of the database's clock; a time that has passed means go on. */
  sleepUntil(name: string, time: Date): Promise<void>;
  /** Tells how far the work is, as JSON of at most 8,000 characters; the latest is kept. Throws for what JSON cannot carry. */
  progress(value: unknown): void;
}
