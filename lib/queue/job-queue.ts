import { Injectable } from '@nestjs/common';
import type { Observable } from 'rxjs';
import type { EntityManager } from 'typeorm';
import { InvalidJobError } from '../errors/invalid-job.error.js';
import type { QueueEvent } from '../events/queue-event.js';
import { QueueEvents } from '../events/queue-events.js';
import type { Acknowledgement } from '../job/acknowledgement.js';
import type { EnqueuedJob, Job } from '../job/job.js';
import type { JobSteps } from '../job/step.js';
import type { JobFilter } from '../job/job-filter.js';
import type { JobType } from '../job/job-type.js';
import { OptionReader } from '../options/option-reader.js';
import { JobRepository } from '../repository/job-repository.js';
import type { Duration } from '../support/duration.js';
import { ApplicationTransactions } from '../typeorm/application-transactions.js';
import type { AcknowledgeOptions, FinishOptions } from './acknowledge-options.js';
import { Acknowledger } from './acknowledger.js';
import { readType } from './build-job.js';
import { Enqueuer } from './enqueuer.js';
import { JobControl } from './job-control.js';
import { JobReader } from './job-reader.js';
import { JobWaiter } from './job-waiter.js';
import type { EnqueueOptions, JobRequest } from './enqueue-options.js';
import { StepControl, type JobKey, type RestartOptions } from './step-control.js';
import type { JobDefinition } from './job-definition.js';

/** Whatever its handler gets. */
type EnqueuedAs<Payload> = JobDefinition<Payload, unknown>;

/**
 * The way to jobs: inject it anywhere.
 *
 * @publicApi
 */
@Injectable()
export class JobQueue extends JobReader {
  constructor(
    repository: JobRepository,
    private readonly enqueuer: Enqueuer,
    private readonly transactions: ApplicationTransactions,
    private readonly acknowledger: Acknowledger,
    private readonly control: JobControl,
    private readonly stepControl: StepControl,
    private readonly waiter: JobWaiter,
    private readonly events: QueueEvents,
  ) {
    super(repository);
  }

  /** What happens in this process, as it happens. A subscriber that throws is the application's uncaught exception. */
  get events$(): Observable<QueueEvent> {
    return this.events.events$;
  }

  /**
   * Stores a job. With `manager`, and inside of a transaction that this library knows, it commits or rolls back with that
   * transaction; otherwise it is committed when this resolves. A job whose enqueue resolved, or whose transaction committed, is not lost.
   *
   * @throws InvalidJobError for what cannot be stored, InvalidPayloadError for what its schema refuses; nothing was written then.
   * @throws ForeignManagerError when `manager` belongs to another database.
   */
  enqueue<Payload>(type: EnqueuedAs<Payload>, payload: Payload, options?: EnqueueOptions): Promise<EnqueuedJob>;
  enqueue(type: JobType, payload?: unknown, options?: EnqueueOptions): Promise<EnqueuedJob>;
  async enqueue(
    type: JobType | JobDefinition<unknown>,
    payload?: unknown,
    options: EnqueueOptions = {},
  ): Promise<EnqueuedJob> {
    return this.enqueuer.one(type, options, { payload });
  }

  /**
   * Stores a job that starts at `at` at the earliest, by the database's clock. A time that has passed means now.
   *
   * @throws InvalidJobError, InvalidPayloadError, ForeignManagerError as `enqueue`.
   */
  enqueueAt<Payload>(
    type: EnqueuedAs<Payload>,
    payload: Payload,
    at: Date,
    options?: EnqueueOptions,
  ): Promise<EnqueuedJob>;
  enqueueAt(type: JobType, payload: unknown, at: Date, options?: EnqueueOptions): Promise<EnqueuedJob>;
  async enqueueAt(
    type: JobType | JobDefinition<unknown>,
    payload: unknown,
    at: Date,
    options: EnqueueOptions = {},
  ): Promise<EnqueuedJob> {
    if (!(at instanceof Date)) throw new InvalidJobError('due time', at, 'Give a valid Date.');
    return this.enqueuer.one(type, options, { payload, at });
  }

  /**
   * Stores many jobs of one type, all or none, and answers in their order. After each chunk of up to 1,000 an event
   * `enqueue.progress` tells how many are done.
   *
   * @throws InvalidJobError, InvalidPayloadError, ForeignManagerError as `enqueue`.
   */
  enqueueMany<Payload>(
    type: EnqueuedAs<Payload>,
    jobs: readonly JobRequest<Payload>[],
    options?: Pick<EnqueueOptions, 'manager'>,
  ): Promise<EnqueuedJob[]>;
  enqueueMany(
    type: JobType,
    jobs: readonly JobRequest[],
    options?: Pick<EnqueueOptions, 'manager'>,
  ): Promise<EnqueuedJob[]>;
  async enqueueMany(
    type: JobType | JobDefinition<unknown>,
    jobs: readonly JobRequest[],
    options: Pick<EnqueueOptions, 'manager'> = {},
  ): Promise<EnqueuedJob[]> {
    return this.enqueuer.many(type, jobs, options);
  }

  /**
   * Your rows and your jobs together or not at all. Inside `work`, an enqueue joins the transaction by itself, and so does another
   * `transaction()`. On SQLite this is how an application should write: TypeORM has one connection there, and overlapping
   * transactions on it corrupt each other. These take turns, and wait for other processes without blocking the event loop.
   *
   * @throws whatever `work` throws, after the rollback; `TransactionUnusableError` when an error inside was caught by `work`.
   */
  transaction<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.transactions.run(work);
  }

  /** The steps of a job, as far as it has begun them; of a multi-step job all, once it has begun. */
  steps(id: string): Promise<JobSteps> {
    return this.stepControl.steps(id);
  }

  /**
   * Runs a job that has ended again, now, from one of its steps on: what is saved of the steps before it stays. Of a multi-step job the
   * step gets the context that it got before, or `context`. Answers the job's id. Of two calls at the same moment one is refused.
   *
   * @throws JobNotFoundError, JobStateError while it is open.
   * @throws InvalidStepError for a step that it has not come to, and for a context that cannot be saved.
   * @throws KeyTakenError when its key (scope `'open'`) belongs to a later job.
   */
  restart(idOrKey: string | JobKey, options: RestartOptions): Promise<string> {
    return this.stepControl.restart(idOrKey, options);
  }

  /**
   * Ends a job for good. A running one loses its fence at once: its handler's `signal` is aborted within one beat, and what it
   * still answers is dropped.
   *
   * @throws JobNotFoundError, JobStateError when there is nothing to cancel.
   */
  async cancel(id: string): Promise<void> {
    await this.control.change(id, 'cancel');
  }

  /**
   * Runs a failed or cancelled job again, now, with all its retries. Its history and its fence go on.
   *
   * @throws JobNotFoundError, JobStateError when it has not failed or been cancelled.
   * @throws KeyTakenError when its key (scope `'open'`) belongs to a later job.
   */
  retry(id: string): Promise<void>;
  /**
   * Retries all failed jobs that match, and cancelled ones if `state` says so, in small batches; answers how many. After each batch
   * an event `retry.progress` is emitted. Jobs whose key belongs to a later job are left alone.
   */
  retry(filter: JobFilter): Promise<number>;
  async retry(idOrFilter: string | JobFilter): Promise<number | void> {
    if (typeof idOrFilter !== 'string') return this.control.retryAll(idOrFilter);
    await this.control.change(idOrFilter, 'retry');
  }

  /**
   * Deletes a job that has ended, with its steps, attempts and log. Of one with a key of scope `'forever'` the key alone is kept.
   *
   * @throws JobNotFoundError, JobStateError while it is open: cancel it first.
   */
  remove(id: string): Promise<void>;
  /**
   * Deletes all ended jobs that match, in small batches; answers how many. Open ones are left alone, whatever `state` says. After each
   * batch an event `remove.progress` is emitted.
   */
  remove(filter: JobFilter): Promise<number>;
  remove(idOrFilter: string | JobFilter): Promise<number | void> {
    return typeof idOrFilter === 'string' ? this.control.remove(idOrFilter) : this.control.removeAll(idOrFilter);
  }

  /**
   * Lets a scheduled job run now.
   *
   * @throws JobNotFoundError, JobStateError when it is not waiting for its time.
   */
  async runNow(id: string): Promise<void> {
    await this.control.change(id, 'runNow');
  }

  /**
   * Ends a job of an `ack: 'manual'` handler well: when that has returned, and while it runs. Joins a transaction as `enqueue` does.
   * `accepted` tells whether anything has changed: finishing twice, late or after a redelivery is an answer and no error.
   *
   * @throws JobNotFoundError, also for one that its retention of 0 has deleted; InvalidJobError, InvalidOptionError.
   */
  finish(id: string, options: FinishOptions = {}): Promise<Acknowledgement> {
    return this.acknowledger.finish(id, options);
  }

  /** Begins the `ackTimeout` of such a job anew: it is being worked on. Answers and throws as `finish`. */
  processing(id: string, options: AcknowledgeOptions = {}): Promise<Acknowledgement> {
    return this.acknowledger.processing(id, options);
  }

  /** Ends such a job as failed for good, whatever retries are left. Answers and throws as `finish`. */
  fail(id: string, reason: string, options: AcknowledgeOptions = {}): Promise<Acknowledgement> {
    return this.acknowledger.fail(id, reason, options);
  }

  /** No job of this type is started any more, on any node, within one beat. Running ones go on. */
  pause(type: JobType | JobDefinition<unknown>): Promise<void> {
    return this.repository.pause(readType(type));
  }

  /** Undoes `pause`; what has come in meanwhile runs in its order. */
  resume(type: JobType | JobDefinition<unknown>): Promise<void> {
    return this.control.resume(readType(type));
  }

  /**
   * The job, once it has ended: succeeded, failed or cancelled, wherever it ran. `timeout`: default 30 s.
   *
   * @throws JobNotFoundError, WaitTimeoutError.
   */
  waitFor(id: string, options: { timeout?: Duration } = {}): Promise<Job> {
    const timeout = new OptionReader('waitFor()', options, ['timeout']).duration('timeout', '30s');
    return this.waiter.waitFor(id, timeout);
  }
}
