import { AsyncLocalStorage } from 'node:async_hooks';
import type { InjectionToken } from '@nestjs/common';
import { QueueEventLogger } from '../events/queue-event.logger.js';
import { QueueEvents } from '../events/queue-events.js';
import { HandlerClock } from '../handler/handler-clock.js';
import { JobHandlerRegistry } from '../handler/job-handler.registry.js';
import { LockRepository } from '../lock/lock-repository.js';
import { LockService } from '../lock/lock-service.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { PersistentQueue } from '../persistent-queue.js';
import { scopedTokens } from '../persistent-queue.module.js';
import { AfterCommit } from '../queue/after-commit.js';
import { JobQueue } from '../queue/job-queue.js';
import { InspectionRepository } from '../repository/inspection-repository.js';
import { JobRepository } from '../repository/job-repository.js';
import { OperationRepository } from '../repository/operation-repository.js';
import { ScheduleRepository } from '../repository/schedule-repository.js';
import { StepRepository } from '../repository/step-repository.js';
import { ScheduleFirer } from '../schedule/schedule-firer.js';
import { Scheduler } from '../schedule/scheduler.js';
import { LocalWakeSignal } from '../signal/local.wake-signal.js';
import { WakeSignal } from '../signal/wake-signal.js';
import { AmbientManagers } from '../typeorm/ambient/ambient-managers.js';
import { ApplicationDataSource } from '../typeorm/application-data-source.js';
import { ApplicationTransactions } from '../typeorm/application-transactions.js';
import { JobRunner } from '../worker/job-runner.js';
import { MemoryAfterCommit } from './memory/memory-after-commit.js';
import { MemoryStore } from './memory/memory-store.js';
import { MemoryTransactions } from './memory/memory-transactions.js';
import { MemoryInspectionRepository } from './memory/memory.inspection-repository.js';
import { MemoryJobRepository, type Arrivals } from './memory/memory.job-repository.js';
import { MemoryLockRepository } from './memory/memory.lock-repository.js';
import { MemoryScheduleRepository } from './memory/memory.schedule-repository.js';
import { MemoryStepRepository } from './memory/memory.step-repository.js';
import { NoOperationRepository } from './memory/no.operation-repository.js';
import { Units } from './memory/units.js';
import { TestAccidents } from './test-accidents.js';
import type { TestClock } from './test-clock.js';
import { TestHandlerClock } from './test-handler-clock.js';
import { TestQueue } from './test-queue.js';
import { TestRuns, type Errors } from './test-runs.js';
import { TestWorker } from './test-worker.js';
import { TestedPersistentQueue } from './tested-persistent-queue.js';
import type { TestedJob } from './tested-job.js';

type Class<T> = abstract new (...args: never[]) => T;
type Instances<Tokens extends readonly Class<unknown>[]> = {
  [Index in keyof Tokens]: Tokens[Index] extends Class<infer T> ? T : never;
};

/** What the test drives: in the order of `toPersistentQueue()`. */
const ENGINE = [
  ResolvedOptions,
  JobHandlerRegistry,
  JobRunner,
  QueueEvents,
  JobRepository,
  ScheduleRepository,
  ScheduleFirer,
  ApplicationTransactions,
  JobQueue,
  Scheduler,
  LockService,
  AfterCommit,
  QueueEventLogger,
] as const;

type Engine = Instances<typeof ENGINE>;

/**
 * The part of a `TestingModuleBuilder` of @nestjs/testing that is needed: the package is yours.
 *
 * @publicApi
 */
export interface OverridableBuilder {
  overrideProvider(token: unknown): {
    useFactory(options: { factory: (...args: never[]) => unknown; inject?: never[] }): unknown;
  };
}

/** One queue in memory, and what is replaced by it. */
export class TestBench {
  private readonly units = new Units();
  private readonly store: MemoryStore;
  private readonly current = new AsyncLocalStorage<TestedJob>();
  private readonly tokens: ReadonlyMap<InjectionToken, InjectionToken>;
  private runs: TestRuns | undefined;

  constructor(
    private readonly builder: OverridableBuilder,
    private readonly clock: TestClock,
    private readonly isInline: boolean,
    private readonly errors: Errors,
    queue: string | undefined,
  ) {
    this.store = new MemoryStore({ now: () => clock.time }, this.units);
    this.tokens = queue === undefined ? new Map() : scopedTokens(queue);
  }

  install(): void {
    const { store, units, current } = this;
    const arrivals: Arrivals = (rows) => (this.isInline ? this.runs?.runInline(rows, this.errors) : undefined);
    this.replace(JobRepository, [ResolvedOptions], (o) => new MemoryJobRepository(store, units, o, arrivals));
    this.replace(InspectionRepository, [ResolvedOptions], (o) => new MemoryInspectionRepository(store, o));
    this.replace(StepRepository, [ResolvedOptions], (o) => new MemoryStepRepository(store, o, arrivals));
    this.replace(ScheduleRepository, [ResolvedOptions], (o) => new MemoryScheduleRepository(store, o, arrivals));
    this.replace(LockRepository, [ResolvedOptions], (o) => new MemoryLockRepository(store, o));
    this.replace(OperationRepository, [], () => new NoOperationRepository());
    this.replace(WakeSignal, [], () => new LocalWakeSignal());
    this.replace(AfterCommit, [WakeSignal], (wakeSignal) => new MemoryAfterCommit(units, wakeSignal));
    this.replace(
      ApplicationTransactions,
      [ApplicationDataSource, ResolvedOptions, AmbientManagers],
      (...parts) => new MemoryTransactions(...parts, units, () => current.getStore()),
    );
    this.replace(HandlerClock, [], () => new TestHandlerClock(current));
    this.replacePersistentQueue();
  }

  private replacePersistentQueue(): void {
    const own = Reflect.getMetadata('design:paramtypes', PersistentQueue) as Class<unknown>[];
    this.replace(PersistentQueue, [...ENGINE, ...own] as unknown as typeof ENGINE, (...all) =>
      this.toPersistentQueue(
        all.slice(0, ENGINE.length) as unknown as Engine,
        all.slice(ENGINE.length) as unknown as ConstructorParameters<typeof PersistentQueue>,
      ),
    );
  }

  private toPersistentQueue(parts: Engine, own: ConstructorParameters<typeof PersistentQueue>): TestedPersistentQueue {
    const [options, registry, runner, events, repository, schedules, firer, transactions, jobQueue, ...life] = parts;
    const [scheduler, locks, afterCommit, logger] = life;
    const { store, clock, current, errors } = this;
    const worker = new TestWorker({
      store,
      clock,
      current,
      options,
      registry,
      runner,
      events,
      repository,
      schedules,
      firer,
    });
    const runs = new TestRuns(worker, store, clock, options.serviceName);
    this.runs = runs;
    const keepFailed = options.retention.failed;
    const accidents = new TestAccidents({ worker, runs, store, current, transactions, events, keepFailed });
    const service = options.serviceName;
    const queue = new TestQueue({ clock, store, runs, accidents, jobQueue, service, errors });
    return new TestedPersistentQueue(own, { queue, worker, scheduler, locks, afterCommit, transactions, logger });
  }

  private replace<const Tokens extends readonly Class<unknown>[]>(
    token: Class<unknown>,
    inject: Tokens,
    factory: (...parts: Instances<Tokens>) => unknown,
  ): void {
    const scoped = (one: Class<unknown>) => this.tokens.get(one as InjectionToken) ?? one;
    this.builder.overrideProvider(scoped(token)).useFactory({ factory, inject: inject.map(scoped) as never[] });
  }
}
