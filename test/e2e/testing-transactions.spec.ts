import { afterEach, describe, expect, it } from '@jest/globals';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { JobContext } from '../../lib/job/job-context.js';
import { NoDataSourceError } from '../../lib/errors/no-data-source.error.js';
import { handler } from '../support/app-fixture.js';
import { closeTestedApps, testedApp, type TestingFixtureOptions } from '../support/testing-fixture.js';

const SQLITE = TypeOrmModule.forRoot({ type: 'better-sqlite3', database: ':memory:' });

const withDatabase = async (options: TestingFixtureOptions = {}) => {
  const fixture = await testedApp({ ...options, imports: [SQLITE] });
  const dataSource = fixture.app.get(DataSource);
  await dataSource.query('CREATE TABLE purchase (id INTEGER PRIMARY KEY)');
  return { ...fixture, dataSource };
};

const outOfStock = () => Promise.reject(new Error('out of stock'));

afterEach(closeTestedApps);

describe('with the DataSource of the application, a job', () => {
  it('is enqueued when jobQueue.transaction() commits, and not when it rolls back', async () => {
    const { jobQueue, queue, dataSource } = await withDatabase();
    await jobQueue.transaction(async (manager) => {
      await manager.query('INSERT INTO purchase VALUES (1)');
      await jobQueue.enqueue('t', 1);
      expect(queue.enqueued()).toEqual([]);
    });
    const failing = jobQueue.transaction(async (manager) => {
      await manager.query('INSERT INTO purchase VALUES (2)');
      await jobQueue.enqueue('t', 2);
      return outOfStock();
    });
    await expect(failing).rejects.toThrow('out of stock');
    expect(queue.enqueued('t').map(({ payload }) => payload)).toEqual([1]);
    expect(await dataSource.query('SELECT id FROM purchase')).toEqual([{ id: 1 }]);
  });

  it('joins a transaction of TypeORM by its manager or its QueryRunner', async () => {
    const { jobQueue, queue, dataSource } = await withDatabase();
    await dataSource.transaction((manager) => jobQueue.enqueue('t', 1, { manager }));
    const failing = dataSource.transaction(async (manager) => {
      await jobQueue.enqueue('t', 2, { manager, key: 'k' });
      return outOfStock();
    });
    await expect(failing).rejects.toThrow('out of stock');
    const runner = dataSource.createQueryRunner();
    await runner.startTransaction();
    await jobQueue.enqueue('t', 3, { manager: runner });
    await runner.rollbackTransaction();
    expect((await jobQueue.enqueue('t', 4, { key: 'k' })).created).toBe(true);
    expect(queue.enqueued('t').map(({ payload }) => payload)).toEqual([1, 4]);
  });

  it('goes with its savepoint', async () => {
    const { jobQueue, queue, dataSource } = await withDatabase();
    await dataSource.transaction(async (outer) => {
      await jobQueue.enqueue('t', 'outer', { manager: outer });
      await outer
        .transaction(async (inner) => {
          await jobQueue.enqueue('t', 'inner', { manager: inner });
          return outOfStock();
        })
        .catch(() => undefined);
      await outer.transaction((inner) => jobQueue.enqueue('t', 'released', { manager: inner }));
    });
    expect(queue.enqueued('t').map(({ payload }) => payload)).toEqual(['outer', 'released']);
  });

  it('completes with the writes of its handler, or is retried without them', async () => {
    let calls = 0;
    const work = async (_: unknown, job: JobContext) => {
      await job.manager.query('INSERT INTO purchase VALUES (?)', [++calls]);
      await jobQueue.enqueue('next', calls);
      if (calls < 3) throw new Error('not yet');
      return 'paid';
    };
    const { jobQueue, queue, dataSource } = await withDatabase({
      providers: [handler('t', work, { transactional: true, waitTime: 0 })],
    });
    const { id } = await jobQueue.enqueue('t');
    await queue.drain();
    expect(await jobQueue.get(id)).toMatchObject({ state: 'succeeded', result: 'paid', retries: 2 });
    expect(await dataSource.query('SELECT id FROM purchase')).toEqual([{ id: 3 }]);
    expect(queue.enqueued('next').map(({ payload }) => payload)).toEqual([3]);
  });

  it('of mode inline runs after the commit, in a transaction of its own, and not after a rollback', async () => {
    const seen: unknown[] = [];
    const work = async (payload: number, job: JobContext) => {
      seen.push([payload, await job.manager.query('SELECT COUNT(*) AS count FROM purchase')]);
    };
    const { jobQueue, dataSource } = await withDatabase({
      providers: [handler('t', work, { transactional: true })],
      testing: { mode: 'inline' },
    });
    await jobQueue.transaction(async (manager) => {
      await jobQueue.enqueue('t', 1);
      await manager.query('INSERT INTO purchase VALUES (1)');
      expect(seen).toEqual([]);
    });
    expect(seen).toEqual([[1, [{ count: 1 }]]]);
    await dataSource.transaction((manager) => jobQueue.enqueue('t', 2, { manager }));
    expect(seen).toHaveLength(2);
    const failing = jobQueue.transaction(async () => {
      await jobQueue.enqueue('t', 3);
      return outOfStock();
    });
    await expect(failing).rejects.toThrow('out of stock');
    expect(seen).toHaveLength(2);
  });
});

describe('without a DataSource, jobQueue.transaction()', () => {
  it('still keeps or drops its jobs', async () => {
    const { jobQueue, queue } = await testedApp({});
    await jobQueue.transaction((manager) => jobQueue.enqueue('t', 1, { manager }));
    const failing = jobQueue.transaction(async () => {
      await jobQueue.transaction(() => jobQueue.enqueueMany('t', [{ payload: 2 }, { payload: 3 }]));
      return outOfStock();
    });
    await expect(failing).rejects.toThrow('out of stock');
    expect(queue.enqueued('t').map(({ payload }) => payload)).toEqual([1]);
  });

  it('completes jobs, and says what is missing when its manager is used', async () => {
    const { jobQueue, queue } = await testedApp({
      providers: [
        handler('completes', (_, job: JobContext) => job.transaction(async () => 'done')),
        handler('writes', (_, job: JobContext) => job.manager.query('DELETE'), { transactional: true, maxRetries: 0 }),
      ],
    });
    const completing = await jobQueue.enqueue('completes');
    const writing = await jobQueue.enqueue('writes');
    await queue.drain();
    expect(await jobQueue.get(completing.id)).toMatchObject({ state: 'succeeded', result: 'done' });
    const { lastError } = (await jobQueue.get(writing.id)) ?? {};
    expect(lastError?.name).toBe(NoDataSourceError.name);
    expect(lastError?.message).toMatch(
      /no DataSource that is connected \(got 'manager\.query'\).*TypeOrmModule\.forRoot/,
    );
  });

  it('takes a stand-in for the DataSource for none', async () => {
    const { jobQueue, queue } = await testedApp({
      providers: [{ provide: DataSource, useValue: { getRepository: () => ({}) } }],
    });
    await jobQueue.transaction(() => jobQueue.enqueue('t'));
    queue.expectEnqueued('t');
  });
});
