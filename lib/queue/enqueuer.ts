import { Injectable } from '@nestjs/common';
import { InvalidJobError } from '../errors/invalid-job.error.js';
import { MissingRoleError } from '../errors/missing-role.error.js';
import { QueueEvents } from '../events/queue-events.js';
import { JobInstrumentation } from '../instrumentation/job-instrumentation.js';
import { observeEnqueue } from '../instrumentation/observe-enqueue.js';
import type { EnqueuedJob, KeyScope, NewJob } from '../job/job.js';
import type { JobType } from '../job/job-type.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { JobRepository } from '../repository/job-repository.js';
import { ApplicationTransactions } from '../typeorm/application-transactions.js';
import { AfterCommit } from './after-commit.js';
import { buildJob, buildJobs } from './build-job.js';
import { checkPayloads } from './check-payloads.js';
import type { EnqueueOptions, JobRequest } from './enqueue-options.js';
import { fileUnderKeys } from './file-under-keys.js';
import type { JobDefinition } from './job-definition.js';
import { KnownTypes } from './known-types.js';
import { MultiStepTypes } from './multi-step-types.js';
import { OperationTypes } from './operation-types.js';

/** From requests to rows: checked, in the transaction that they belong to, and told to the workers after its commit. */
@Injectable()
export class Enqueuer {
  constructor(
    private readonly repository: JobRepository,
    private readonly afterCommit: AfterCommit,
    private readonly transactions: ApplicationTransactions,
    private readonly multiStep: MultiStepTypes,
    private readonly operations: OperationTypes,
    private readonly known: KnownTypes,
    private readonly events: QueueEvents,
    private readonly instrumentation: JobInstrumentation,
    private readonly options: ResolvedOptions,
  ) {}

  async one(
    type: JobType | JobDefinition<unknown>,
    options: EnqueueOptions,
    own: Pick<JobRequest, 'payload' | 'at'>,
  ): Promise<EnqueuedJob> {
    const { manager, ...request } = this.readOptions(options);
    const job = buildJob(type, { ...request, ...own }, this.options.maxPayloadBytes, this.defaultScope);
    const [enqueued] = await this.insert(type, [job], manager);
    if (enqueued === undefined) throw new Error('The repository answered no id for an inserted job.');
    return enqueued;
  }

  async many(
    type: JobType | JobDefinition<unknown>,
    jobs: readonly JobRequest[],
    options: Pick<EnqueueOptions, 'manager'>,
  ): Promise<EnqueuedJob[]> {
    const { manager } = this.readOptions(options);
    return this.insert(type, buildJobs(type, jobs, this.options.maxPayloadBytes, this.defaultScope), manager);
  }

  private readonly defaultScope = (type: string): KeyScope => (this.multiStep.has(type) ? 'forever' : 'row');

  private readOptions<O extends EnqueueOptions>(options: O): O {
    const { roles } = this.options;
    if (!roles.has('enqueue')) throw new MissingRoleError('enqueue', roles);
    if (options === null || typeof options !== 'object')
      throw new InvalidJobError('options', options, 'Give an object of options.');
    return options;
  }

  private async insert(
    kind: JobType | JobDefinition<unknown>,
    jobs: readonly NewJob[],
    given: EnqueueOptions['manager'],
  ): Promise<EnqueuedJob[]> {
    if (jobs.length === 0) return [];
    const [{ type } = { type: '' }] = jobs;
    this.operations.refuse(type);
    const { schema, keySource } = this.known.find(kind);
    if (schema !== undefined) await checkPayloads(schema, jobs);
    const filed = keySource === undefined ? jobs : fileUnderKeys(keySource, jobs);
    return observeEnqueue(
      this.instrumentation,
      () => ({
        type,
        count: jobs.length,
        traceId: jobs.length === 1 ? jobs[0]?.traceId : undefined,
        schedule: undefined,
      }),
      (traceId) => this.write(traced(filed, traceId), given),
      (enqueued) => enqueued,
    );
  }

  private write(jobs: readonly NewJob[], given: EnqueueOptions['manager']): Promise<EnqueuedJob[]> {
    const [{ type } = { type: '' }] = jobs;
    const tell = (done: number) => this.events.emit({ name: 'enqueue.progress', type, done, total: jobs.length });
    return this.transactions.inCallers(given, async (manager) => {
      const enqueued = await this.repository.insert(jobs, manager, jobs.length > 1 ? tell : undefined);
      this.afterCommit.notify(manager, jobs);
      return enqueued;
    });
  }
}

/** What the application gives is never replaced. */
function traced(jobs: readonly NewJob[], traceId: string | undefined): readonly NewJob[] {
  if (traceId === undefined) return jobs;
  return jobs.map((job) => (job.traceId === undefined ? { ...job, traceId } : job));
}
