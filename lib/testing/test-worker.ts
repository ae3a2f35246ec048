import { AsyncLocalStorage } from 'node:async_hooks';
import { QueueEvents } from '../events/queue-events.js';
import { JobHandlerRegistry } from '../handler/job-handler.registry.js';
import type { RegisteredHandler } from '../handler/registered-handler.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { JobRepository } from '../repository/job-repository.js';
import { ScheduleRepository } from '../repository/schedule-repository.js';
import { ScheduleFirer } from '../schedule/schedule-firer.js';
import { processName } from '../support/process-name.js';
import { concludeRelease } from '../worker/conclusion.js';
import { JobRunner } from '../worker/job-runner.js';
import { MemoryHome } from './memory-home.js';
import { byDue, claimRow, isDue } from './memory/claim-rows.js';
import type { MemoryStore } from './memory/memory-store.js';
import type { JobRow } from './memory/rows.js';
import { nextFire, schedulesOf } from './memory/schedule-rows.js';
import { pausedTypes } from './memory/survey-rows.js';
import type { TestClock } from './test-clock.js';
import { TestedJob } from './tested-job.js';

const MOST_SCHEDULES = 100;
const PRUNED_AT_ONCE = 1_000;

/** What a worker is made of: the engine's own parts, and the memory. */
export interface WorkerTools {
  readonly store: MemoryStore;
  readonly clock: TestClock;
  readonly current: AsyncLocalStorage<TestedJob>;
  readonly options: ResolvedOptions;
  readonly registry: JobHandlerRegistry;
  readonly runner: JobRunner;
  readonly events: QueueEvents;
  readonly repository: JobRepository;
  readonly schedules: ScheduleRepository;
  readonly firer: ScheduleFirer;
}

/** Runs jobs one by one, in the order of their due times and never by itself. */
export class TestWorker {
  readonly running = new Set<TestedJob>();
  private readonly home: MemoryHome;
  /** Not inside of whatever transaction or request has led here: no worker would be. */
  private readonly outside = AsyncLocalStorage.snapshot();
  private node: string | undefined;

  constructor(private readonly tools: WorkerTools) {
    const { store, repository, events } = tools;
    this.home = new MemoryHome(store, repository, events, () => `${processName()}#${this.node}`);
  }

  /** How many jobs the calling code is inside of. */
  get depth(): number {
    return this.tools.current.getStore()?.depth ?? 0;
  }

  /** Registers the node: what it handles is then known. It is alive for as long as the test, however far the clock is moved. */
  async start(): Promise<string> {
    const { repository, registry, options, clock } = this.tools;
    if (this.node !== undefined) {
      await repository.beat(this.node);
      return this.node;
    }
    const { concurrency } = options;
    const node = await repository.registerNode({ name: processName(), concurrency, types: registry.handledTypes });
    clock.onMove(() => void repository.beat(node));
    this.node = node;
    return node;
  }

  /** Fires what is due, and lets what is scheduled and due wait for its turn. */
  async lookForDue(): Promise<void> {
    const { schedules, firer, repository, options, store } = this.tools;
    if (options.roles.has('schedule'))
      while (await firer.attendAll(await schedules.pending(MOST_SCHEDULES), true)) continue;
    await repository.promote(store.jobs.size);
  }

  /** The job whose turn it is: of each type the one with the highest priority, and of these the one that was due first. */
  next(): JobRow | undefined {
    const { store, registry, options } = this.tools;
    const paused = new Set(pausedTypes(store, options.serviceName));
    const types = new Set(registry.types.filter((type) => !paused.has(type)));
    const due = store.jobsOf(options.serviceName).filter((row) => types.has(row.type) && isDue(store, row));
    const first = new Map<string, JobRow>();
    for (const row of due.sort((a, b) => b.priority - a.priority || byDue(a, b)))
      if (!first.has(row.type)) first.set(row.type, row);
    return [...first.values()].sort(byDue)[0];
  }

  /** When there is something to do that is not due yet. */
  nextTime(): number | undefined {
    const { store, options } = this.tools;
    const rows = store.jobsOf(options.serviceName);
    const times = rows.flatMap(({ state, due }) => (state === 'scheduled' && due > store.now ? [due] : []));
    const fires = options.roles.has('schedule') ? nextFire(schedulesOf(store, options.serviceName)) : undefined;
    if (fires !== undefined) times.push(fires);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  handlerOf({ type }: JobRow): RegisteredHandler | undefined {
    const { registry } = this.tools;
    return registry.types.includes(type) ? registry.get(type) : undefined;
  }

  /** Claims the job and calls its handler. `ended` resolves when nobody has to wait any more: it has ended, or its process is dead. */
  async begin(row: JobRow, handler: RegisteredHandler): Promise<{ active: TestedJob; ended: Promise<void> }> {
    const { store, clock, current, runner } = this.tools;
    const node = await this.start();
    const { deadline, maxCrashes, ackTimeout } = handler.options;
    const manual = ackTimeout === undefined ? undefined : { ackTimeout, retention: handler.retention };
    const claim = claimRow(store, row, { type: row.type, node, deadline, maxCrashes, manual });
    const active = new TestedJob(claim, handler, this.home, clock, this.depth + 1);
    this.running.add(active);
    const run = this.outside(() => current.run(active, () => runner.run(active))).finally(() => {
      this.running.delete(active);
      active.enter();
    });
    return { active, ended: Promise.race([run, active.death]) };
  }

  async prune(): Promise<void> {
    while ((await this.tools.repository.prune(PRUNED_AT_ONCE)) === PRUNED_AT_ONCE) continue;
  }

  /** What still runs is told to stop, and its job given back. Nobody waits for it. */
  stop(): void {
    for (const active of this.running) {
      if (active.isAbandoned) continue;
      this.home.settle(concludeRelease(active));
      active.abandon('shutdown');
    }
    this.running.clear();
  }
}
