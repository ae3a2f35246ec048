import { DiscoveryService, ModulesContainer } from '@nestjs/core';
import type { DataSource } from 'typeorm';
import type { HandledType } from '../../lib/job/handled-type.js';
import { QueueEvents } from '../../lib/events/queue-events.js';
import type { ClaimedJob } from '../../lib/job/job.js';
import { releaseOf, type Settlement } from '../../lib/job/settlement.js';
import type { LockRepository } from '../../lib/lock/lock-repository.js';
import { LockService } from '../../lib/lock/lock-service.js';
import type { PersistentQueueOptions } from '../../lib/options/module-options.js';
import type { ResolvedOptions } from '../../lib/options/resolved-options.js';
import { resolveOptions } from '../../lib/options/resolve-options.js';
import { JobInstrumentation } from '../../lib/instrumentation/job-instrumentation.js';
import { Acknowledger } from '../../lib/queue/acknowledger.js';
import { AfterCommit } from '../../lib/queue/after-commit.js';
import { Enqueuer } from '../../lib/queue/enqueuer.js';
import { JobControl } from '../../lib/queue/job-control.js';
import { JobQueue } from '../../lib/queue/job-queue.js';
import { JobWaiter } from '../../lib/queue/job-waiter.js';
import { StepControl } from '../../lib/queue/step-control.js';
import { OperationTypes } from '../../lib/queue/operation-types.js';
import { KnownTypes } from '../../lib/queue/known-types.js';
import { MultiStepTypes } from '../../lib/queue/multi-step-types.js';
import type { ClaimAnswer, ClaimRequest, JobRepository } from '../../lib/repository/job-repository.js';
import type { InspectionRepository } from '../../lib/repository/inspection-repository.js';
import { QueueInspector } from '../../lib/inspection/queue-inspector.js';
import type { OperationRepository } from '../../lib/repository/operation-repository.js';
import type { ScheduleRepository } from '../../lib/repository/schedule-repository.js';
import type { StepRepository } from '../../lib/repository/step-repository.js';
import { LocalWakeSignal } from '../../lib/signal/local.wake-signal.js';
import { AmbientManagers } from '../../lib/typeorm/ambient/ambient-managers.js';
import { TransactionHosts } from '../../lib/typeorm/ambient/transaction-hosts.js';
import { BUSY_RETRY } from '../../lib/typeorm/busy-retry.js';
import { retryRolledBack } from '../../lib/typeorm/retry-rolled-back.js';
import type { ApplicationDataSource } from '../../lib/typeorm/application-data-source.js';
import { ApplicationTransactions } from '../../lib/typeorm/application-transactions.js';
import { QueueConnection } from '../../lib/typeorm/queue-connection.js';
import { SqlInspectionRepository } from '../../lib/typeorm/sql.inspection-repository.js';
import { SqlJobRepository } from '../../lib/typeorm/sql.job-repository.js';
import { SqlOperationRepository } from '../../lib/typeorm/sql.operation-repository.js';
import { SqlScheduleRepository } from '../../lib/typeorm/sql.schedule-repository.js';
import { SqlStepRepository } from '../../lib/typeorm/sql.step-repository.js';
import { lockRepository } from '../../lib/typeorm/lock-repository.factory.js';

/** What differs between a queue on a database and one in memory. */
export interface FixtureParts {
  readonly repository: JobRepository;
  readonly schedules: ScheduleRepository;
  readonly steps: StepRepository;
  readonly operations: OperationRepository;
  readonly inspection: InspectionRepository;
  readonly locks: LockRepository;
  readonly transactions: ApplicationTransactions;
  readonly afterCommit: AfterCommit;
  /** Where the nodes are not rows of a database. */
  readonly silenceNodes?: () => void;
}

/** What the parts are made of. */
export interface FixtureTools {
  readonly application: ApplicationDataSource;
  readonly options: ResolvedOptions;
  readonly ambient: AmbientManagers;
  readonly events: QueueEvents;
  readonly wakeSignal: LocalWakeSignal;
}

/** A queue without a worker: its repository and its JobQueue on a real database, for one service. */
export class QueueFixture {
  readonly repository: JobRepository;
  readonly schedules: ScheduleRepository;
  readonly steps: StepRepository;
  readonly operations: OperationRepository;
  readonly queue: JobQueue;
  readonly inspector: QueueInspector;
  readonly lockRepository: LockRepository;
  readonly locks: LockService;
  readonly events = new QueueEvents();
  readonly wakeSignal = new LocalWakeSignal();
  readonly service: string;
  private readonly afterCommit: AfterCommit;
  private readonly silenceNodes: (() => void) | undefined;
  private readonly transactions: ApplicationTransactions;

  constructor(
    readonly dataSource: DataSource,
    options: PersistentQueueOptions,
    makeParts: (tools: FixtureTools) => FixtureParts = onDatabase,
  ) {
    const resolved = resolveOptions({ synchronize: true, connections: { max: 2 }, ...options });
    const application = { get: () => dataSource, find: () => dataSource } as ApplicationDataSource;
    this.service = resolved.serviceName;
    const ambient = new AmbientManagers(application, new TransactionHosts(new ModulesContainer()));
    const { events, wakeSignal } = this;
    const parts = makeParts({ application, options: resolved, ambient, events, wakeSignal });
    this.repository = parts.repository;
    this.schedules = parts.schedules;
    this.steps = parts.steps;
    this.operations = parts.operations;
    this.inspector = new QueueInspector(parts.inspection, parts.repository);
    this.afterCommit = parts.afterCommit;
    this.silenceNodes = parts.silenceNodes;
    this.transactions = parts.transactions;
    this.lockRepository = parts.locks;
    const multiStep = new MultiStepTypes(new DiscoveryService(new ModulesContainer()), resolved);
    this.locks = new LockService(this.lockRepository, this.events);
    this.queue = new JobQueue(
      this.repository,
      new Enqueuer(
        this.repository,
        this.afterCommit,
        this.transactions,
        multiStep,
        new OperationTypes(),
        new KnownTypes(resolved),
        this.events,
        new JobInstrumentation(this.events),
        resolved,
      ),
      this.transactions,
      new Acknowledger(this.repository, this.afterCommit, this.transactions, this.events, resolved),
      new JobControl(this.repository, this.wakeSignal, this.events),
      new StepControl(this.steps, this.wakeSignal, resolved),
      new JobWaiter(this.repository, this.events),
      this.events,
    );
  }

  readonly close = async (): Promise<void> => {
    this.locks.stop();
    this.afterCommit.stop();
    this.transactions.close();
    await this.repository.close();
  };

  registerNode(name = 'test', ...types: (string | HandledType)[]): Promise<string> {
    return this.repository.registerNode({ name, concurrency: 100, types: handled(...types) });
  }

  async claim(node: string, type: string, overrides: Partial<ClaimRequest> = {}): Promise<readonly ClaimedJob[]> {
    return (await this.ask(node, type, overrides)).jobs;
  }

  /** What a claim answers, beside the jobs. */
  async ask(node: string, type: string, overrides: Partial<ClaimRequest> = {}): Promise<ClaimAnswer> {
    return this.repository.claim({
      node,
      type,
      priority: 0,
      limit: 100,
      deadline: undefined,
      maxCrashes: 3,
      ...overrides,
    });
  }

  /** Claims exactly one job and fails otherwise. */
  async claimOne(node: string, type: string, overrides: Partial<ClaimRequest> = {}): Promise<ClaimedJob> {
    const [job, ...others] = await this.claim(node, type, overrides);
    if (job === undefined || others.length > 0)
      throw new Error(`claimed ${others.length + (job ? 1 : 0)} jobs of ${type}, not one`);
    return job;
  }

  /** Lets the leases of all nodes of the service run out. */
  async silence(): Promise<void> {
    if (this.silenceNodes !== undefined) return this.silenceNodes();
    await this.sql('UPDATE pq_node SET expires_at = 0 WHERE service = ?', [this.service]);
  }

  /** Runs a statement with `?` parameters on the application's connection; on SQLite, when no other process writes. */
  readonly sql = async <Row = Record<string, unknown>>(text: string, parameters: unknown[] = []): Promise<Row[]> => {
    let count = 0;
    const isPostgres = this.dataSource.options.type === 'postgres';
    const numbered = isPostgres ? text.replaceAll('?', () => `$${++count}`) : text;
    return retryRolledBack(BUSY_RETRY, () => this.dataSource.query<Row[]>(numbered, parameters));
  };
}

function onDatabase({ application, options, ambient, events, wakeSignal }: FixtureTools): FixtureParts {
  const connection = new QueueConnection(application, options, events);
  const transactions = new ApplicationTransactions(application, options, ambient);
  return {
    repository: new SqlJobRepository(application, connection, options),
    schedules: new SqlScheduleRepository(connection, options),
    steps: new SqlStepRepository(application, connection),
    operations: new SqlOperationRepository(application, connection),
    inspection: new SqlInspectionRepository(connection, options),
    locks: lockRepository(application, connection, transactions, options),
    transactions,
    afterCommit: new AfterCommit(wakeSignal),
  };
}

/** Types as a node runs them that gives its handlers no options. */
export function handled(...types: (string | HandledType)[]): HandledType[] {
  const defaults = { concurrency: 100, maxCrashes: 3, deadline: undefined };
  return types.map((type) => (typeof type === 'string' ? { type, ...defaults } : type));
}

/** How an attempt that succeeded is settled. */
export function success(job: ClaimedJob, overrides: Partial<Settlement> = {}): Settlement {
  const now = performance.now();
  const attempt = {
    attempt: job.retries + 1,
    startedAt: now,
    endedAt: now,
    outcome: 'succeeded',
    reason: undefined,
    error: undefined,
  } as const;
  return { ...releaseOf(job, attempt), state: 'succeeded', ...overrides };
}

/** How an attempt that failed and is tried again is settled. */
export function retry(job: ClaimedJob, delay: number): Settlement {
  const now = performance.now();
  const error = { name: 'Error', message: 'it broke' };
  const attempt = {
    attempt: job.retries + 1,
    startedAt: now,
    endedAt: now,
    outcome: 'retried',
    reason: 'error',
    error,
  } as const;
  return { ...releaseOf(job, attempt), state: delay > 0 ? 'scheduled' : 'waiting', delay, usesRetry: true };
}

/** How an attempt of a handler with `ack: 'manual'` that returned is settled. */
export function delivery(job: ClaimedJob, ackTimeout: number): Settlement {
  const delivered = success(job, { state: 'scheduled', delay: ackTimeout, manual: true });
  return { ...delivered, attempt: delivered.attempt && { ...delivered.attempt, outcome: 'delivered' } };
}
