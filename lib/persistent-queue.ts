import {
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
} from '@nestjs/common';
import { Completer } from './completion/completer.js';
import { NoteRecorder } from './completion/note-recorder.js';
import { StartRecorder } from './completion/start-recorder.js';
import { QueueEventLogger } from './events/queue-event.logger.js';
import { QueueEvents } from './events/queue-events.js';
import { JobHandlers } from './job-handlers.js';
import { LockService } from './lock/lock-service.js';
import { Pruner } from './maintenance/pruner.js';
import { UnhandledJobsReporter } from './maintenance/unhandled-jobs.reporter.js';
import { NodeLease } from './node/node-lease.js';
import { isNode } from './options/resolve-options.js';
import { ResolvedOptions } from './options/resolved-options.js';
import { Operations } from './operation/operations.js';
import { Poller } from './poller/poller.js';
import { AfterCommit } from './queue/after-commit.js';
import { WakeSignal } from './signal/wake-signal.js';
import { Scheduler } from './schedule/scheduler.js';
import { JobRepository } from './repository/job-repository.js';
import { ApplicationTransactions } from './typeorm/application-transactions.js';
import { WorkerPool } from './worker/worker-pool.js';

const HOOKS_CHECK_AFTER = 4_000;

/**
 * The life of the module, and the only place that listens to Nest's. What is started last is stopped first.
 *
 *     onApplicationBootstrap      logger → repository → wake-ups → handlers → lease → completer → poller → operations → schedules
 *     onModuleDestroy             schedules, operations, poller: no more jobs are made, loaded or claimed
 *     beforeApplicationShutdown   pool drains, operations are written, locks are released → starts, completions written → lease
 *     onApplicationShutdown       wake-ups → repository → logger: until here Nest's HTTP server takes requests, which may enqueue
 *
 * @publicApi
 */
@Injectable()
export class PersistentQueue
  implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown, OnApplicationShutdown
{
  private starting: Promise<void> | undefined;
  private hooksCheck: NodeJS.Timeout | undefined;

  constructor(
    private readonly repository: JobRepository,
    private readonly handlers: JobHandlers,
    private readonly lease: NodeLease,
    private readonly completer: Completer,
    private readonly starts: StartRecorder,
    private readonly pool: WorkerPool,
    private readonly poller: Poller,
    private readonly unhandledJobs: UnhandledJobsReporter,
    private readonly pruner: Pruner,
    private readonly scheduler: Scheduler,
    private readonly operations: Operations,
    private readonly notes: NoteRecorder,
    private readonly locks: LockService,
    private readonly afterCommit: AfterCommit,
    private readonly wakeSignal: WakeSignal,
    private readonly transactions: ApplicationTransactions,
    private readonly events: QueueEvents,
    private readonly logger: QueueEventLogger,
    private readonly options: ResolvedOptions,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.logger.start(this.options);
    await this.repository.open();
    await this.wakeSignal.open();
    await this.handlers.explore();
    if (this.options.autoStart) await this.start();
  }

  /** Begins to run jobs: only needed with `autoStart: false`. May be called again, also after it has failed. */
  start(): Promise<void> {
    this.starting ??= this.startServices().catch((error: unknown) => {
      this.starting = undefined;
      throw error;
    });
    return this.starting;
  }

  protected async startServices(): Promise<void> {
    if (!isNode(this.options.roles)) return;
    await this.lease.start();
    this.completer.start();
    this.poller.start();
    this.operations.start();
    this.notes.start();
    this.unhandledJobs.start();
    this.pruner.start();
    await this.scheduler.start();
    this.hooksCheck = setTimeout(() => this.checkShutdownHooks(), HOOKS_CHECK_AFTER).unref();
  }

  async onModuleDestroy(): Promise<void> {
    clearTimeout(this.hooksCheck);
    this.handlers.stop();
    const { scheduler, poller, operations, unhandledJobs, pruner } = this;
    await Promise.all([scheduler, poller, operations, unhandledJobs, pruner].map((service) => service.stop()));
  }

  async beforeApplicationShutdown(): Promise<void> {
    const { shutdownTimeout } = this.options;
    const hadJobs = this.pool.size > 0;
    const [released] = await Promise.all([this.drain(), this.locks.idle(shutdownTimeout)]);
    this.locks.stop();
    await this.starts.stop();
    await this.notes.stop();
    await this.completer.stop();
    // What was given back waits for other nodes.
    if (hadJobs) this.wakeSignal.notify([]);
    if (this.starting !== undefined) this.events.emit({ name: 'node.stopped', node: this.lease.name, released });
    await this.lease.stop().catch((error: unknown) => this.events.databaseError('shutdown', error));
    this.starting = undefined;
  }

  async onApplicationShutdown(): Promise<void> {
    this.afterCommit.stop();
    this.transactions.close();
    await this.wakeSignal.close().catch((error: unknown) => this.events.databaseError('shutdown', error));
    await this.repository.close().catch((error: unknown) => this.events.databaseError('shutdown', error));
    this.logger.stop();
  }

  private async drain(): Promise<number> {
    const released = await this.pool.drain(this.options.shutdownTimeout);
    await this.operations.retire();
    return released;
  }

  private checkShutdownHooks(): void {
    if (this.options.roles.has('work') && process.listenerCount('SIGTERM') === 0)
      this.events.emit({ name: 'shutdown.hooks-missing' });
  }
}
