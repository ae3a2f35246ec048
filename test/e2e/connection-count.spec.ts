import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import type { PersistentQueueOptions } from '../../lib/options/module-options.js';
import { handler, startApp, type AppFixture } from '../support/app-fixture.js';
import { databases, type TestSchema } from '../support/databases.js';
import { QueueFixture } from '../support/queue-fixture.js';
import { endSessionsBeside, sessionsBeside } from '../support/sessions.js';
import { waitUntil } from '../support/wait-until.js';

const JOBS = 300;
const OWN = 4;
const APPLICATION = 2;

const servers = databases().filter(({ name }) => name !== 'sqlite');

describe.each(servers)('the connections of one process to $name', (database) => {
  let schema: TestSchema;
  let observer: DataSource;
  let fixture: AppFixture | undefined;
  beforeAll(async () => {
    schema = await database.create();
    observer = await schema.connect();
  });
  afterEach(async () => {
    await fixture?.close();
    fixture = undefined;
    await waitUntil(async () => (await sessionsBeside(observer)).length === 0, { describe: 'every connection closed' });
  });
  afterAll(() => schema.drop());

  /** Its pool has room for more than ours, in each place where an application may say so. */
  const application = () => ({
    ...schema.options,
    poolSize: APPLICATION,
    extra: database.name === 'postgres' ? { max: APPLICATION, min: 50 } : { connectionLimit: APPLICATION, maxIdle: 50 },
  });

  /** The most that were seen while the jobs ran. */
  async function peakWhile(running: AppFixture, total: number, disturb: () => Promise<unknown>): Promise<number> {
    let peak = 0;
    await waitUntil(
      async () => {
        peak = Math.max(peak, (await sessionsBeside(observer)).length);
        await disturb();
        const counts = await running.queue.counts().catch(() => []);
        return counts.some(({ state, count }) => state === 'succeeded' && count === total);
      },
      { timeout: 25_000, describe: `${total} jobs to succeed` },
    );
    return peak;
  }

  async function startWorker(more: PersistentQueueOptions = {}): Promise<AppFixture> {
    const work = async () => {
      await fixture?.dataSource.query('SELECT 1');
    };
    fixture = await startApp(
      { ...schema, options: application() as never },
      { providers: [handler('count', work)], queue: { connections: { max: OWN }, ...more } },
    );
    return fixture;
  }

  const enqueueAll = (running: AppFixture) =>
    running.queue.enqueueMany(
      'count',
      Array.from({ length: JOBS }, () => ({ payload: null })),
    );

  it('are those of its pool and at most connections.max of ours, under load', async () => {
    const running = await startWorker();
    await enqueueAll(running);
    const peak = await peakWhile(running, JOBS, async () => undefined);
    expect(peak).toBeLessThanOrEqual(OWN + APPLICATION);
    expect(peak).toBeGreaterThan(APPLICATION);
  });

  it('are no more after many have been lost', async () => {
    const running = await startWorker();
    await enqueueAll(running);
    let cuts = 0;
    const cut = async () => {
      if (cuts++ < 10) await endSessionsBeside(observer);
    };
    expect(await peakWhile(running, 2 * JOBS, cut)).toBeLessThanOrEqual(OWN + APPLICATION);
  }, 40_000);

  it('without a worker are one of ours, and up to connections.max - 1 when many enqueue at once', async () => {
    const closed = new DataSource(application() as never);
    const queue = new QueueFixture(closed, { connections: { max: OWN } });
    await queue.repository.open();
    expect(await sessionsBeside(observer)).toHaveLength(1);
    // With keys: others would be written together.
    await Promise.all(Array.from({ length: 100 }, (_, n) => queue.queue.enqueue('t', null, { key: `k${n}` })));
    expect(await sessionsBeside(observer)).toHaveLength(OWN - 1);
    await queue.close();
  });

  if (database.name === 'postgres') {
    it('are one more with wake-ups over PostgreSQL, also after many have been lost', async () => {
      const running = await startWorker({ wakeUps: 'postgres' });
      await enqueueAll(running);
      let cuts = 0;
      const cut = async () => {
        if (cuts++ < 10) await endSessionsBeside(observer);
      };
      expect(await peakWhile(running, 3 * JOBS, cut)).toBeLessThanOrEqual(OWN + APPLICATION + 1);
    }, 40_000);
  }

  // MariaDB's performance_schema, which keeps the names, is off by default.
  if (database.name !== 'mariadb') {
    const theirs =
      database.name === 'postgres'
        ? [{ applicationName: 'shop' }, { extra: { application_name: 'shop' } }]
        : [{ extra: { connectAttributes: { program_name: 'shop' } } }];

    it.each([[{}, 'nestjs-persistent-queue:shop-backend'], ...theirs.map((options) => [options, 'shop'] as const)])(
      'are named in the server’s list: with %j as %s',
      async (options, name) => {
        const closed = new DataSource({ ...schema.options, ...options });
        const queue = new QueueFixture(closed, { serviceName: 'shop-backend' });
        await queue.repository.open();
        expect(await sessionsBeside(observer)).toEqual([{ id: expect.anything(), name }]);
        await queue.close();
      },
    );
  }
});
