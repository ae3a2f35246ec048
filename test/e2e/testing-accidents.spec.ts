import { afterEach, describe, expect, it } from '@jest/globals';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { LeaseLostError } from '../../lib/errors/lease-lost.error.js';
import type { JobContext } from '../../lib/job/job-context.js';
import { handler } from '../support/app-fixture.js';
import { closeTestedApps, testedApp } from '../support/testing-fixture.js';
import { deferred } from '../support/wait-until.js';

const SQLITE = TypeOrmModule.forRoot({ type: 'better-sqlite3', database: ':memory:' });

afterEach(closeTestedApps);

describe('crash()', () => {
  it('called by what the handler calls ends that attempt there, and the job runs again', async () => {
    const trace: string[] = [];
    const work = async (_: unknown, job: JobContext) => {
      trace.push(`begins ${job.delivery}`);
      if (job.delivery === 1) await queue.crash();
      trace.push(`ends ${job.delivery}`);
    };
    const { queue, jobQueue } = await testedApp({ providers: [handler('t', work)] });
    const { id } = await jobQueue.enqueue('t');
    expect(await queue.drain()).toBe(2);
    expect(trace).toEqual(['begins 1', 'begins 3', 'ends 3']);
    expect(await queue.history(id)).toMatchObject([
      { attempt: 1, outcome: 'crashed', reason: 'crash' },
      { attempt: 1, outcome: 'succeeded' },
    ]);
    expect(await jobQueue.get(id)).toMatchObject({ state: 'succeeded', retries: 0 });
  });

  it('of a job that the test has begun drops whatever its handler still does, and does not abort it', async () => {
    const gate = deferred();
    let signal: AbortSignal | undefined;
    let enqueued: Promise<unknown> | undefined;
    const work = async (_: unknown, job: JobContext) => {
      if (job.delivery > 1) return 'second';
      signal = job.signal;
      await gate.promise;
      enqueued = jobQueue.enqueue('next');
      return 'first';
    };
    const { queue, jobQueue } = await testedApp({ providers: [handler('t', work)] });
    const { id } = await jobQueue.enqueue('t');
    const started = await queue.start(id);
    expect((await jobQueue.get(id))?.state).toBe('running');
    await queue.crash(id);
    await started.ended;
    gate.resolve();
    await queue.drain();
    expect(signal?.aborted).toBe(false);
    expect(await jobQueue.get(id)).toMatchObject({ state: 'succeeded', result: 'second' });
    expect(enqueued).toBeInstanceOf(Promise);
    queue.expectNotEnqueued('next');
  });

  it('is held against the job from the second time on, and fails it at maxCrashes', async () => {
    const { queue, jobQueue } = await testedApp({
      providers: [handler('t', () => queue.crash(), { maxCrashes: 2 })],
    });
    const { id } = await jobQueue.enqueue('t');
    expect(await queue.drain()).toBe(3);
    expect(await jobQueue.get(id)).toMatchObject({ state: 'failed', crashes: 2, lastError: { name: 'CrashError' } });
    expect((await queue.history(id)).map(({ outcome }) => outcome)).toEqual(['crashed', 'crashed', 'failed']);
  });

  it('rolls back the transaction that the handler is inside of, and saved steps stay', async () => {
    const steps: string[] = [];
    const work = async (_: unknown, job: JobContext) => {
      await job.step('once', () => steps.push('once'));
      await job.transaction(async (manager) => {
        await manager.query('INSERT INTO ledger (job) VALUES (?)', [job.id]);
        await jobQueue.enqueue('next', job.delivery);
        if (steps.push('inside') === 2) await queue.crash();
      });
    };
    const { app, queue, jobQueue } = await testedApp({ imports: [SQLITE], providers: [handler('t', work)] });
    const dataSource = app.get(DataSource);
    await dataSource.query('CREATE TABLE ledger (job TEXT)');
    const { id } = await jobQueue.enqueue('t');
    await queue.drain();
    expect(steps).toEqual(['once', 'inside', 'inside']);
    expect(await dataSource.query('SELECT job FROM ledger')).toEqual([{ job: id }]);
    expect(queue.enqueued<number>('next').map(({ payload }) => payload)).toEqual([3]);
    expect((await jobQueue.get(id))?.state).toBe('succeeded');
  });

  it('and zombie() say so when nothing is running', async () => {
    const { queue, jobQueue } = await testedApp({});
    const { id } = await jobQueue.enqueue('t');
    await expect(queue.crash()).rejects.toThrow(/^No job is running.*queue\.start\(id\)/);
    await expect(queue.crash(id)).rejects.toThrow(/Job 1 is not running/);
    await expect(queue.zombie()).rejects.toThrow(/No job is running/);
  });
});

describe('zombie()', () => {
  it('lets the job run to its end a second time, while the first goes on and is dropped', async () => {
    const trace: string[] = [];
    const work = async (_: unknown, job: JobContext) => {
      trace.push(`begins ${job.delivery}`);
      if (job.delivery === 1) await queue.zombie();
      trace.push(`ends ${job.delivery}`);
      return job.delivery;
    };
    const { queue, jobQueue } = await testedApp({ providers: [handler('t', work)] });
    const lost: string[] = [];
    jobQueue.events$.subscribe((event) => event.name === 'job.lost' && lost.push(event.job.id));
    const { id } = await jobQueue.enqueue('t');
    await queue.drain();
    expect(trace).toEqual(['begins 1', 'begins 3', 'ends 3', 'ends 1']);
    expect((await jobQueue.get(id))?.result).toBe(3);
    expect(lost).toEqual([id]);
  });

  it('of a job that the test has begun refuses its transaction', async () => {
    const gate = deferred();
    let error: unknown;
    const work = async (_: unknown, job: JobContext) => {
      if (job.delivery > 1) return 'second';
      await gate.promise;
      await job.transaction((manager) => manager.query('INSERT INTO ledger VALUES (1)')).catch((e) => (error = e));
      return 'first';
    };
    const { app, queue, jobQueue } = await testedApp({ imports: [SQLITE], providers: [handler('t', work)] });
    const dataSource = app.get(DataSource);
    await dataSource.query('CREATE TABLE ledger (job TEXT)');
    const { id } = await jobQueue.enqueue('t');
    const first = await queue.start(id);
    await queue.zombie(id);
    expect((await jobQueue.get(id))?.result).toBe('second');
    gate.resolve();
    await first.ended;
    expect(error).toBeInstanceOf(LeaseLostError);
    expect(await dataSource.query('SELECT * FROM ledger')).toEqual([]);
    expect((await jobQueue.get(id))?.result).toBe('second');
  });

  it('is refused inside of a transaction on the only connection', async () => {
    const { queue, jobQueue } = await testedApp({
      imports: [SQLITE],
      providers: [handler('t', (_, job: JobContext) => job.transaction(() => queue.zombie()), { maxRetries: 0 })],
    });
    const { id } = await jobQueue.enqueue('t');
    await queue.drain();
    expect((await jobQueue.get(id))?.lastError?.message).toMatch(/zombie\(\).*inside of a transaction/);
  });
});

describe('start()', () => {
  it('has timeouts of the clock that the test moves', async () => {
    const work = (_: unknown, job: JobContext) =>
      new Promise((_resolve, reject) => {
        job.signal.addEventListener('abort', () => reject(job.signal.reason as Error));
      });
    const { queue, jobQueue } = await testedApp({ providers: [handler('t', work, { timeout: '5m', waitTime: '1h' })] });
    const { id } = await jobQueue.enqueue('t');
    const { ended } = await queue.start(id);
    queue.clock.advance('5m');
    await ended;
    expect(await queue.history(id)).toMatchObject([{ outcome: 'retried', reason: 'timeout' }]);
  });

  it('leaves nothing to wait for when the application is closed: the job is given back', async () => {
    let signal: AbortSignal | undefined;
    const work = (_: unknown, job: JobContext) => {
      signal = job.signal;
      return new Promise(() => undefined);
    };
    const { app, queue, jobQueue } = await testedApp({ providers: [handler('t', work)] });
    const { id } = await jobQueue.enqueue('t');
    await queue.start(id);
    const began = performance.now();
    await app.close();
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(signal?.aborted).toBe(true);
    expect(await jobQueue.get(id)).toMatchObject({ state: 'waiting', retries: 0 });
  });
});
