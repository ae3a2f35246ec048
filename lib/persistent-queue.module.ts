import { Module, type DynamicModule, type InjectionToken, type Provider } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Completer } from './completion/completer.js';
import { JobTableHome } from './completion/job-table.home.js';
import { NoteRecorder } from './completion/note-recorder.js';
import { StartRecorder } from './completion/start-recorder.js';
import { QueueEventLogger } from './events/queue-event.logger.js';
import { QueueEvents } from './events/queue-events.js';
import { DecoratedMethodScanner } from './handler/decorated-method.scanner.js';
import { HandlerClock } from './handler/handler-clock.js';
import { HandlerInvoker } from './handler/handler-invoker.js';
import { JobHandlerExplorer } from './handler/job-handler.explorer.js';
import { JobHandlerRegistry } from './handler/job-handler.registry.js';
import { JobHandlers } from './job-handlers.js';
import { QueueInspector } from './inspection/queue-inspector.js';
import { LockRepository } from './lock/lock-repository.js';
import { LockService } from './lock/lock-service.js';
import { Rescuer } from './maintenance/rescuer.js';
import { Pruner } from './maintenance/pruner.js';
import { UnhandledJobsReporter } from './maintenance/unhandled-jobs.reporter.js';
import { EventLoopWatch } from './node/event-loop-watch.js';
import { NodeLease } from './node/node-lease.js';
import { JobInstrumentation } from './instrumentation/job-instrumentation.js';
import type {
  PersistentQueueAsyncOptions,
  PersistentQueueExtras,
  PersistentQueueOptions,
} from './options/module-options.js';
import { OperationExplorer } from './operation/operation.explorer.js';
import { Operations } from './operation/operations.js';
import { resolveOptions } from './options/resolve-options.js';
import { ResolvedOptions } from './options/resolved-options.js';
import { PersistentQueue } from './persistent-queue.js';
import { Poller } from './poller/poller.js';
import { Acknowledger } from './queue/acknowledger.js';
import { AfterCommit } from './queue/after-commit.js';
import { Enqueuer } from './queue/enqueuer.js';
import { jobQueueToken } from './queue/inject-job-queue.decorator.js';
import { JobControl } from './queue/job-control.js';
import { JobQueue } from './queue/job-queue.js';
import { JobWaiter } from './queue/job-waiter.js';
import { StepControl } from './queue/step-control.js';
import { MultiStepTypes } from './queue/multi-step-types.js';
import { OperationTypes } from './queue/operation-types.js';
import { KnownTypes } from './queue/known-types.js';
import { Heartbeat } from './repository/heartbeat.js';
import { InspectionRepository } from './repository/inspection-repository.js';
import { JobRepository } from './repository/job-repository.js';
import { OperationRepository } from './repository/operation-repository.js';
import { ScheduleRepository } from './repository/schedule-repository.js';
import { JobScheduleExplorer } from './schedule/job-schedule.explorer.js';
import { LateSchedulesWatcher } from './schedule/late-schedules.watcher.js';
import { ScheduleFirer } from './schedule/schedule-firer.js';
import { Scheduler } from './schedule/scheduler.js';
import { Schedules } from './schedule/schedules.js';
import { StepRepository } from './repository/step-repository.js';
import { MultiStepJobExplorer } from './steps/multi-step-job.explorer.js';
import { StepKeeper } from './steps/step-keeper.js';
import { scopeProviders } from './scope-providers.js';
import { WakeSignal } from './signal/wake-signal.js';
import { AmbientManagers } from './typeorm/ambient/ambient-managers.js';
import { TransactionHosts } from './typeorm/ambient/transaction-hosts.js';
import { ApplicationDataSource } from './typeorm/application-data-source.js';
import { ApplicationTransactions } from './typeorm/application-transactions.js';
import { QueueConnection } from './typeorm/queue-connection.js';
import { SqlInspectionRepository } from './typeorm/sql.inspection-repository.js';
import { SqlJobRepository } from './typeorm/sql.job-repository.js';
import { SqlOperationRepository } from './typeorm/sql.operation-repository.js';
import { SqlScheduleRepository } from './typeorm/sql.schedule-repository.js';
import { lockRepository } from './typeorm/lock-repository.factory.js';
import { ThreadHeartbeat } from './typeorm/thread.heartbeat.js';
import { SqlStepRepository } from './typeorm/sql.step-repository.js';
import { wakeSignal } from './typeorm/wake-signal.factory.js';
import { JobTransactions } from './worker/job-transactions.js';
import { JobRunner } from './worker/job-runner.js';
import { WorkerPool } from './worker/worker-pool.js';

/** In the order of a job's way: decorator → explorer → registry → queue → repository → poller → pool → runner → completer. */
const PROVIDERS: Provider[] = [
  DecoratedMethodScanner,
  JobHandlerExplorer,
  HandlerClock,
  HandlerInvoker,
  JobHandlerRegistry,
  JobQueue,
  Enqueuer,
  MultiStepTypes,
  OperationTypes,
  KnownTypes,
  AfterCommit,
  Acknowledger,
  JobControl,
  StepControl,
  JobWaiter,
  ApplicationDataSource,
  { provide: WakeSignal, inject: [ApplicationDataSource, ResolvedOptions, QueueEvents], useFactory: wakeSignal },
  TransactionHosts,
  AmbientManagers,
  ApplicationTransactions,
  QueueConnection,
  { provide: JobRepository, useClass: SqlJobRepository },
  {
    provide: LockRepository,
    inject: [ApplicationDataSource, QueueConnection, ApplicationTransactions, ResolvedOptions],
    useFactory: lockRepository,
  },
  LockService,
  { provide: Heartbeat, useClass: ThreadHeartbeat },
  EventLoopWatch,
  NodeLease,
  Poller,
  Rescuer,
  UnhandledJobsReporter,
  Pruner,
  { provide: OperationRepository, useClass: SqlOperationRepository },
  OperationExplorer,
  Operations,
  { provide: ScheduleRepository, useClass: SqlScheduleRepository },
  JobScheduleExplorer,
  ScheduleFirer,
  LateSchedulesWatcher,
  Scheduler,
  Schedules,
  { provide: StepRepository, useClass: SqlStepRepository },
  StepKeeper,
  MultiStepJobExplorer,
  WorkerPool,
  JobRunner,
  JobTransactions,
  StartRecorder,
  NoteRecorder,
  Completer,
  JobTableHome,
  { provide: InspectionRepository, useClass: SqlInspectionRepository },
  QueueInspector,
  JobInstrumentation,
  QueueEvents,
  QueueEventLogger,
  JobHandlers,
  PersistentQueue,
];

const EXPORTS = {
  JobQueue,
  JobHandlers,
  Schedules,
  LockService,
  Operations,
  QueueInspector,
  JobInstrumentation,
  JobRepository,
  LockRepository,
  Poller,
  WorkerPool,
  PersistentQueue,
};

/**
 * Persistent jobs on the application's own database. Import it once, beside `TypeOrmModule.forRoot()`.
 *
 * `JobQueue`, `JobHandlers`, `Schedules`, `LockService`, `Operations`, `QueueInspector`, `JobInstrumentation`, their repositories, `Poller`, `WorkerPool` and `PersistentQueue` are those of the module
 * without a `name`, wherever they are injected or looked up (`app.get(JobQueue)`). Those of a module named `reports` have the tokens `'JobQueue:reports'`,
 * `'JobRepository:reports'` and so on.
 *
 * @publicApi
 */
@Module({})
export class PersistentQueueModule {
  /** @throws InvalidOptionError, UnknownOptionError for options that cannot be used. */
  static forRoot(options: PersistentQueueOptions & PersistentQueueExtras = {}): DynamicModule {
    const { name, global, imports, overrides, ...own } = options;
    const resolved = resolveOptions(own, name);
    return dynamicModule({ name, global, imports, overrides }, { provide: ResolvedOptions, useValue: resolved });
  }

  /** As `forRoot()`, with options from a factory; what they cannot be is an error when the application starts. */
  static forRootAsync({ useFactory, inject = [], ...extras }: PersistentQueueAsyncOptions): DynamicModule {
    const factory = useFactory as (
      ...dependencies: unknown[]
    ) => PersistentQueueOptions | Promise<PersistentQueueOptions>;
    return dynamicModule(extras, {
      provide: ResolvedOptions,
      inject,
      useFactory: async (...dependencies: unknown[]) => resolveOptions(await factory(...dependencies), extras.name),
    });
  }
}

function dynamicModule(extras: PersistentQueueExtras, options: Provider): DynamicModule {
  const { name, global = true, imports = [], overrides = [] } = extras;
  const module = { module: PersistentQueueModule, global, imports: [DiscoveryModule, ...imports] };
  const providers = withOverrides([options, ...PROVIDERS], overrides);
  if (name === undefined) return { ...module, providers, exports: Object.values(EXPORTS) };
  const tokens = scopedTokens(name);
  const exported = Object.values(EXPORTS).flatMap((token) => tokens.get(token) ?? []);
  return { ...module, providers: scopeProviders(providers, tokens), exports: exported };
}

/** Names for what is exported. The others are for whoever replaces them in a test: the same symbols, whichever copy of this file asks. */
export function scopedTokens(name: string): ReadonlyMap<InjectionToken, InjectionToken> {
  const inner = [ResolvedOptions, ...PROVIDERS.map(tokenOf)].map((token) => [token, innerToken(name, token)] as const);
  const exported = Object.entries(EXPORTS).map(([key, token]) => [token, `${key}:${name}`] as const);
  return new Map<InjectionToken, InjectionToken>([...inner, ...exported, [JobQueue, jobQueueToken(name)]]);
}

function innerToken(name: string, token: InjectionToken): symbol {
  const inner = typeof token === 'function' ? token.name : String(token);
  return Symbol.for(`nestjs-persistent-queue:${name}:${inner}`);
}

function withOverrides(providers: Provider[], overrides: Provider[]): Provider[] {
  const replaced = new Set(overrides.map(tokenOf));
  return [...providers.filter((provider) => !replaced.has(tokenOf(provider))), ...overrides];
}

function tokenOf(provider: Provider): InjectionToken {
  return typeof provider === 'function' ? provider : provider.provide;
}
