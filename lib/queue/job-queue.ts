import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { InvalidJobError } from '../errors/invalid-job.error.js';
import { MissingRoleError } from '../errors/missing-role.error.js';
import type { Attempt } from '../job/attempt.js';
import type { EnqueuedJob, Job, JobLevel, NewJob } from '../job/job.js';
import type { JobType } from '../job/job-type.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { JobRepository, type JobCount, type JobManager } from '../repository/job-repository.js';
import { ApplicationTransactions } from '../typeorm/application-transactions.js';
import { AfterCommit } from './after-commit.js';
import { buildJob } from './build-job.js';
import type { EnqueueOptions, JobRequest } from './enqueue-options.js';
import type { JobDefinition } from './job-definition.js';

/**
 * The way to jobs: inject it anywhere.
 *
 * @publicApi
 */
@Injectable()
export class JobQueue {
  constructor(
    private readonly repository: JobRepository,
    private readonly afterCommit: AfterCommit,
    private readonly transactions: ApplicationTransactions,
    private readonly options: ResolvedOptions,
  ) {}

  /**
   * Stores a job. Without `manager` it is committed when this resolves; with it, it commits or rolls back with your transaction.
   * A job whose enqueue resolved, or whose transaction committed, is not lost.
   *
   * @throws InvalidJobError for a type, payload or option that cannot be stored; nothing was written then.
   * @throws ForeignManagerError when `manager` belongs to another database.
   */
  enqueue<Payload>(type: JobDefinition<Payload>, payload: Payload, options?: EnqueueOptions): Promise<EnqueuedJob>;
  enqueue(type: JobType, payload?: unknown, options?: EnqueueOptions): Promise<EnqueuedJob>;
  async enqueue(
    type: JobType | JobDefinition<unknown>,
    payload?: unknown,
    options: EnqueueOptions = {},
  ): Promise<EnqueuedJob> {
    const { manager, ...request } = this.readOptions(options);
    return this.insertOne(buildJob(type, { ...request, payload }, this.options.maxPayloadBytes), manager);
  }

  /**
   * Stores a job that starts at `at` at the earliest, by the database's clock. A time that has passed means now.
   *
   * @throws InvalidJobError, ForeignManagerError as `enqueue`.
   */
  enqueueAt<Payload>(
    type: JobDefinition<Payload>,
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
    const { manager, ...request } = this.readOptions(options);
    return this.insertOne(buildJob(type, { ...request, payload, at }, this.options.maxPayloadBytes), manager);
  }

  /**
   * Stores many jobs of one type, all or none, and answers in their order.
   *
   * @throws InvalidJobError, ForeignManagerError as `enqueue`.
   */
  enqueueMany<Payload>(
    type: JobDefinition<Payload>,
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
    const { manager } = this.readOptions(options);
    return this.insert(
      jobs.map((job) => buildJob(type, job, this.options.maxPayloadBytes)),
      manager,
    );
  }

  /**
   * Your rows and your jobs together or not at all. Inside `work`, an enqueue joins the transaction by itself, and so does another
   * `transaction()`. On SQLite this is how an application should write: TypeORM has one connection there, and overlapping
   * transactions on it corrupt each other. These take turns, and wait for other processes without blocking the event loop.
   *
   * @throws whatever `work` throws, after the rollback.
   */
  transaction<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.transactions.run(work);
  }

  /** The job as it stands, or `undefined` when there is none with this id (any more) in this service. */
  get<Payload = unknown>(id: string): Promise<Job<Payload> | undefined> {
    return this.repository.get(id) as Promise<Job<Payload> | undefined>;
  }

  /** The job's attempts, oldest first. An attempt that is running is not among them yet. */
  history(id: string): Promise<Attempt[]> {
    return this.repository.history(id);
  }

  /** How many jobs there are of each type in each state. Reads every row of the service: for people, not for every request. */
  counts(): Promise<JobCount[]> {
    return this.repository.counts();
  }

  private readOptions<O extends EnqueueOptions>(options: O): O {
    const { roles } = this.options;
    if (!roles.has('enqueue')) throw new MissingRoleError('enqueue', roles);
    if (options === null || typeof options !== 'object')
      throw new InvalidJobError('options', options, 'Give an object of options.');
    return options;
  }

  private async insertOne(job: NewJob, manager: JobManager | undefined): Promise<EnqueuedJob> {
    const [enqueued] = await this.insert([job], manager);
    if (enqueued === undefined) throw new Error('The repository answered no id for an inserted job.');
    return enqueued;
  }

  private async insert(jobs: readonly NewJob[], given: JobManager | undefined): Promise<EnqueuedJob[]> {
    if (jobs.length === 0) return [];
    const manager = given ?? this.transactions.current;
    const enqueued = await this.repository.insert(jobs, manager);
    this.afterCommit.notify(manager, levelsOf(jobs));
    return enqueued;
  }
}

/** Where the jobs are waiting. A delayed one waits nowhere yet: then the hint is only that something has changed. */
function levelsOf(jobs: readonly NewJob[]): JobLevel[] {
  const waiting = jobs.filter(({ due }) => 'delay' in due && due.delay === 0);
  return [...new Map(waiting.map(({ type, priority }) => [`${priority} ${type}`, { type, priority }])).values()];
}
