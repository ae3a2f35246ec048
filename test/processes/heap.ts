import 'reflect-metadata';
import {
  Inject,
  Injectable,
  Module,
  Scope,
  UseGuards,
  UseInterceptors,
  UsePipes,
  type CanActivate,
  type NestInterceptor,
  type PipeTransform,
} from '@nestjs/common';
import { NestFactory, REQUEST } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { JobHandler, JobPayload, JobQueue, PersistentQueueModule, type JobContext } from 'nestjs-persistent-queue';
import { setTimeout as pause } from 'node:timers/promises';
import type { DataSourceOptions } from 'typeorm';
import { sqliteDriver } from './sqlite-driver.js';

/** How much one job's own providers hold: what stays of 20,000 jobs cannot be overlooked. */
const HELD = 2_000;
const BATCH = 1_000;

/** Bytes of live objects when nothing runs, before and after the jobs. */
export interface HeapReport {
  readonly jobs: number;
  readonly before: number;
  readonly after: number;
}

@Injectable({ scope: Scope.TRANSIENT })
class Held {
  readonly numbers = Array.from({ length: HELD / 8 }, (_, n) => n + 0.5);
}

@Injectable({ scope: Scope.REQUEST })
class PerJob {
  constructor(
    readonly held: Held,
    @Inject(REQUEST) readonly job: JobContext,
  ) {}
}

@Injectable({ scope: Scope.REQUEST })
class Around implements CanActivate, NestInterceptor, PipeTransform {
  constructor(private readonly own: PerJob) {}

  canActivate(): boolean {
    return this.own.job.attempt === 1;
  }

  intercept(_: unknown, next: { handle(): ReturnType<NestInterceptor['intercept']> }) {
    return next.handle();
  }

  transform(value: unknown): unknown {
    return value;
  }
}

let done = 0;

@Injectable()
class Jobs {
  constructor(private readonly own: PerJob) {}

  @JobHandler('scoped', { retention: { succeeded: 0 } })
  @UseGuards(Around)
  @UseInterceptors(Around)
  @UsePipes(Around)
  async run(@JobPayload('n') n: number): Promise<number> {
    await pause(0);
    done++;
    return n + this.own.held.numbers.length;
  }
}

const [given = '{}'] = process.argv.slice(2);
const { database, jobs } = JSON.parse(given) as { database: DataSourceOptions; jobs: number };

@Module({
  imports: [
    TypeOrmModule.forRoot({ ...database, driver: await sqliteDriver() }),
    PersistentQueueModule.forRoot({ poll: { min: 5, max: 50 } }),
  ],
  providers: [Jobs, PerJob, Held],
})
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error'] });
const queue = app.get(JobQueue);

async function run(count: number): Promise<void> {
  const until = done + count;
  for (let n = 0; n < count; n += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, count - n) }, (_, at) => ({ payload: { n: n + at } }));
    await queue.enqueueMany('scoped', batch);
    while (done < until - count + n + batch.length) await pause(5);
  }
  while ((await queue.counts()).length > 0) await pause(20);
}

/** What is kept for a moment only, as batches and statements, is gone when it no longer shrinks. */
async function heap(): Promise<number> {
  let least = Infinity;
  for (let n = 0; n < 10; n++) {
    await pause(50);
    globalThis.gc?.();
    least = Math.min(least, process.memoryUsage().heapUsed);
  }
  return least;
}

await run(BATCH);
const before = await heap();
await run(jobs);
process.send?.({ jobs: done - BATCH, before, after: await heap() } satisfies HeapReport);
await app.close();
