import { Injectable } from '@nestjs/common';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { LockService } from '../../lib/lock/lock-service.js';
import { PersistentQueueModule } from '../../lib/persistent-queue.module.js';
import { InjectJobQueue } from '../../lib/queue/inject-job-queue.decorator.js';
import { JobQueue } from '../../lib/queue/job-queue.js';
import { handler, QUICK, startApp, type AppFixture } from '../support/app-fixture.js';
import { databases, type TestSchema } from '../support/databases.js';
import { waitUntil } from '../support/wait-until.js';

@Injectable()
class Producer {
  constructor(
    readonly orders: JobQueue,
    @InjectJobQueue('reports') readonly reports: JobQueue,
  ) {}
}

describe.each(databases())('an application with a module for each of two DataSources on $name', (database) => {
  let first: TestSchema;
  let second: TestSchema;
  let fixture: AppFixture;
  beforeAll(async () => {
    [first, second] = [await database.create(), await database.create()];
  });
  beforeEach(async () => {
    // The same name on purpose: what keeps them apart is where their tables are.
    const options = { ...QUICK, serviceName: 'shop' };
    fixture = await startApp(first, {
      modules: [
        PersistentQueueModule.forRoot(options),
        PersistentQueueModule.forRoot({ ...options, name: 'reports', dataSource: 'reports' }),
      ],
      imports: [TypeOrmModule.forRoot({ ...second.options, name: 'reports', retryAttempts: 0 })],
      providers: [Producer, handler('t', () => 'order'), handler('t', () => 'report', { queue: 'reports' })],
    });
  });
  afterEach(() => fixture.close());
  afterAll(() => Promise.all([first.drop(), second.drop()]));

  const dataSources = () => [fixture.dataSource, fixture.app.get<DataSource>(getDataSourceToken('reports'))];

  it('keeps the jobs of each in its own tables, and runs them with its own handlers', async () => {
    const { orders, reports } = fixture.app.get(Producer);
    const queues = [orders, reports];
    const ids = await Promise.all(queues.map(async (queue) => (await queue.enqueue('t')).id));
    const results = await waitUntil(async () => {
      const jobs = await Promise.all(queues.map((queue, n) => queue.get(ids[n] as string)));
      return jobs.every((job) => job?.state === 'succeeded') && jobs.map((job) => job?.result);
    });
    expect(results).toEqual(['order', 'report']);
    for (const dataSource of dataSources()) {
      expect(await dataSource.query('SELECT type FROM pq_job')).toEqual([{ type: 't' }]);
    }
  });

  it('opens the transactions of each on its own DataSource', async () => {
    const { orders, reports } = fixture.app.get(Producer);
    const used = await Promise.all(
      [orders, reports].map((queue) => queue.transaction(async (manager) => manager.connection)),
    );
    expect(used.map((each, n) => each === dataSources()[n])).toEqual([true, true]);
    const wrong = reports.transaction((manager) => orders.enqueue('t', null, { manager }));
    await expect(wrong).rejects.toThrow(/manager/);
  });

  it('has locks in each, which do not know of each other', async () => {
    const locks = [fixture.app.get(LockService), fixture.app.get<LockService>('LockService:reports')];
    const held = await Promise.all(locks.map((service) => service.tryAcquire('nightly')));
    expect(held.every((lock) => lock !== undefined)).toBe(true);
    await Promise.all(held.map(async (lock) => lock?.release()));
  });
});
