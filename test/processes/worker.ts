import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { InjectDataSource, TypeOrmModule } from '@nestjs/typeorm';
import {
  JobHandler,
  JobQueue,
  PersistentQueueModule,
  type JobContext,
  type PersistentQueueOptions,
  type QueueEvent,
} from 'nestjs-persistent-queue';
import { redisWakeUps } from 'nestjs-persistent-queue/redis';
import { setTimeout as pause } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import type { DataSource, DataSourceOptions, EntityManager } from 'typeorm';
import { FiveStepJobs } from './five-steps.js';
import { machineNow } from './machine-clock.js';
import { ownTableJobs, type OwnTableSettings } from './own-table-jobs.js';
import { sqliteDriver } from './sqlite-driver.js';

/** What the test tells a worker process, as JSON in its first argument. */
export interface WorkerSettings {
  database: DataSourceOptions;
  queue: PersistentQueueOptions;
  /** Over which it is woken. */
  redis?: { url: string; prefix: string };
  /** How many handlers it has beside those of `Handlers`, of the types `type 0`, `type 1` and so on. */
  moreTypes?: number;
  /** Whether it handles the rows of async_job_tab too. */
  ownTable?: OwnTableSettings;
}

/** What it tells the test. Of jobs it tells the ids, of threads how many have come so far to say anything. */
export type WorkerMessage =
  | { ready: number }
  | { event: QueueEvent }
  | { started: string; at: number }
  | { aborted: string }
  | { enqueued: string }
  | { refused: string }
  | { threads: number };

/** What the test tells it later. */
export type WorkerCommand = { enqueue: string; payload: unknown } | 'end threads';

const tell = (message: WorkerMessage) => process.send?.(message);

const settings = JSON.parse(process.argv[2] ?? '') as WorkerSettings;
const database =
  settings.database.type === 'better-sqlite3'
    ? { ...settings.database, driver: await sqliteDriver() }
    : settings.database;

@Injectable()
class Handlers {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /** Writes into the ledger who runs which attempt, tells the test, and takes `ms` to end. */
  @JobHandler('ledger', { concurrency: 100, maxRetries: 0 })
  async ledger({ ms = 0 }: { ms?: number } = {}, job: JobContext): Promise<number> {
    await this.write(this.dataSource.manager, job);
    tell({ started: job.id, at: machineNow() });
    job.signal.addEventListener('abort', () => tell({ aborted: job.id }));
    if (ms > 0) await pause(ms, undefined, { signal: job.signal });
    return process.pid;
  }

  /** Takes `ms` to end, and needs no database for it. */
  @JobHandler('wait', { maxRetries: 0 })
  async wait({ ms }: { ms: number }, job: JobContext): Promise<number> {
    tell({ started: job.id, at: machineNow() });
    await pause(ms);
    return process.pid;
  }

  /** Writes into the ledger together with its end, `ms` after its start. Whatever its signal says, it tries. */
  @JobHandler('transfer', { maxRetries: 0 })
  async transfer({ ms }: { ms: number }, job: JobContext): Promise<number> {
    tell({ started: job.id, at: machineNow() });
    await pause(ms);
    try {
      return await job.transaction((manager) => this.write(manager, job));
    } catch (error) {
      tell({ refused: (error as Error).name });
      throw error;
    }
  }

  /** The same, in a transaction that is open for all of the `ms`. */
  @JobHandler('long transfer', { maxRetries: 0, transactional: true })
  async longTransfer({ ms }: { ms: number }, job: JobContext): Promise<number> {
    await this.write(job.manager, job);
    tell({ started: job.id, at: machineNow() });
    await pause(ms);
    return process.pid;
  }

  /** Keeps the event loop from everything else for `ms`, without a single await. */
  @JobHandler('compute', { maxRetries: 0 })
  compute({ ms }: { ms: number }, job: JobContext): number {
    tell({ started: job.id, at: machineNow() });
    for (const until = performance.now() + ms; performance.now() < until;);
    return ms;
  }

  /** The same for another process than the one that computes. */
  @JobHandler('hang', { maxRetries: 0 })
  hang(payload: { ms: number }, job: JobContext): number {
    return this.compute(payload, job);
  }

  /** Leaves its end to somebody else. */
  @JobHandler('hand over', { ack: 'manual', ackTimeout: '1m' })
  handOver(_: unknown, { id }: JobContext): number {
    tell({ started: id, at: machineNow() });
    return process.pid;
  }

  @JobHandler('noop', { concurrency: 20 })
  async noop(): Promise<number> {
    await pause(2);
    return process.pid;
  }

  /** Takes its process with it, as an out-of-memory kill does. */
  @JobHandler('poison')
  poison(): void {
    process.kill(process.pid, 'SIGKILL');
  }

  private async write(manager: EntityManager, { id }: JobContext): Promise<number> {
    await manager.query(`INSERT INTO ledger (job_id, pid) VALUES (${Number(id)}, ${process.pid})`);
    return process.pid;
  }
}

const more = Array.from({ length: settings.moreTypes ?? 0 }, (_, n) => {
  @Injectable()
  class OneOfMany {
    @JobHandler(`type ${n}`)
    handle(): number {
      return n;
    }
  }
  return OneOfMany;
});

const wakeUps = settings.redis === undefined ? {} : { wakeUps: redisWakeUps(settings.redis) };

@Module({
  imports: [TypeOrmModule.forRoot(database), PersistentQueueModule.forRoot({ ...settings.queue, ...wakeUps })],
  providers: [Handlers, FiveStepJobs, ...more, ...(settings.ownTable ? ownTableJobs(settings.ownTable) : [])],
})
class WorkerModule {}

const threads: Worker[] = [];
process.on('worker', (thread) => thread.once('message', () => tell({ threads: threads.push(thread) })));

const app = await NestFactory.createApplicationContext(WorkerModule, {
  logger: process.env['PQ_TEST_LOG'] === undefined ? false : ['error', 'warn', 'debug'],
});
app.enableShutdownHooks();
const queue = app.get(JobQueue);
// A test that dies must not leave its workers behind.
process.on('disconnect', () => process.exit(1));
process.on('message', (command: WorkerCommand) => {
  if (command === 'end threads') for (const thread of threads) void thread.terminate();
  else
    queue.enqueue(command.enqueue, command.payload).then(
      ({ id }) => tell({ enqueued: id }),
      ({ name }: Error) => tell({ refused: name }),
    );
});
queue.events$.subscribe((event) => tell({ event }));
tell({ ready: process.pid });
