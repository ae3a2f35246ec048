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
} from 'nestjs-persistent-queue';
import { setTimeout as pause } from 'node:timers/promises';
import type { DataSource, DataSourceOptions } from 'typeorm';
import { sqliteDriver } from './sqlite-driver.js';

/** What the test tells a worker process, as JSON in its first argument. */
export interface WorkerSettings {
  database: DataSourceOptions;
  queue: PersistentQueueOptions;
  /** How many handlers it has beside those of `Handlers`, of the types `type 0`, `type 1` and so on. */
  moreTypes?: number;
}

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
    await this.dataSource.query(`INSERT INTO ledger (job_id, pid) VALUES (${Number(job.id)}, ${process.pid})`);
    process.send?.({ started: job.id });
    job.signal.addEventListener('abort', () => process.send?.({ aborted: job.id }));
    if (ms > 0) await pause(ms, undefined, { signal: job.signal });
    return process.pid;
  }

  /** Keeps the event loop from everything else for `ms`, without a single await. */
  @JobHandler('compute', { maxRetries: 0 })
  compute({ ms }: { ms: number }, job: JobContext): number {
    process.send?.({ started: job.id });
    for (const until = performance.now() + ms; performance.now() < until;);
    return ms;
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

@Module({
  imports: [TypeOrmModule.forRoot(database), PersistentQueueModule.forRoot(settings.queue)],
  providers: [Handlers, ...more],
})
class WorkerModule {}

const app = await NestFactory.createApplicationContext(WorkerModule, {
  logger: process.env['PQ_TEST_LOG'] === undefined ? false : ['error', 'warn', 'debug'],
});
app.enableShutdownHooks();
// A test that dies must not leave its workers behind.
process.on('disconnect', () => process.exit(1));
app.get(JobQueue).events$.subscribe((event) => process.send?.({ event }));
process.send?.({ ready: process.pid });
