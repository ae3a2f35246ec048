import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { LockService } from '../../lib/lock/lock-service.js';
import { handler, startApp, type AppFixture, type AppOptions } from '../support/app-fixture.js';
import { databases, type TestSchema } from '../support/databases.js';
import { sessionsBeside } from '../support/sessions.js';
import { waitUntil } from '../support/wait-until.js';

const REQUESTS = 100;

describe.each(databases())('processes of one application with different roles on $name', (database) => {
  let schema: TestSchema;
  const fixtures: AppFixture[] = [];
  let services = 0;
  beforeAll(async () => {
    schema = await database.create();
  });
  afterEach(async () => {
    await Promise.all(fixtures.splice(0).map((fixture) => fixture.close()));
  });
  afterAll(() => schema.drop());

  async function start(options: AppOptions): Promise<AppFixture> {
    const fixture = await startApp(schema, options);
    fixtures.push(fixture);
    return fixture;
  }

  it('share the types: a type that nobody includes waits, untouched', async () => {
    const serviceName = `service-${++services}`;
    const providers = (who: string) => ['heavy', 'light', 'nobody’s'].map((type) => handler(type, () => who));
    const api = await start({ providers: providers('api'), queue: { serviceName, roles: ['enqueue'] } });
    const exclude = ['heavy', 'nobody’s'];
    await start({ providers: providers('the rest'), queue: { serviceName, types: { exclude } } });
    await start({ providers: providers('the heavy ones'), queue: { serviceName, types: { include: ['heavy'] } } });
    const nobodys = await api.queue.enqueue('nobody’s');
    const jobs = await Promise.all(['heavy', 'light'].map((type) => api.queue.enqueue(type)));
    const done = await Promise.all(jobs.map(({ id }) => api.waitFor(id, 'succeeded')));
    expect(done.map(({ result }) => result)).toEqual(['the heavy ones', 'the rest']);
    expect(await api.queue.get(nobodys.id)).toMatchObject({ state: 'waiting' });
    expect(await api.queue.history(nobodys.id)).toEqual([]);
  });

  if (database.name !== 'sqlite') {
    it('that only enqueues needs two connections at the most, whatever is asked of it at once', async () => {
      const serviceName = `service-${++services}`;
      const observer = await schema.connect();
      const others = () => sessionsBeside(observer);
      const allGone = () => waitUntil(async () => (await others()).length === 0, { describe: 'no connection left' });
      await allGone();
      const api = await start({ queue: { serviceName, roles: ['enqueue'], connections: undefined } });
      const over = new AbortController();
      let peak = 0;
      const watching = (async () => {
        while (!over.signal.aborted) peak = Math.max(peak, (await others()).length);
      })();
      const locks = api.app.get(LockService);
      await Promise.all(
        Array.from({ length: REQUESTS }, async (_, n) => {
          await api.queue.enqueue('t', n, { key: `k${n}` });
          // As short as it may be, so that it is renewed while it is held.
          await locks.using(`lock ${n % 5}`, { atMost: '1s', wait: '20s' }, () => api.queue.counts());
        }),
      );
      over.abort();
      await watching;
      expect(await api.queue.counts()).toEqual([{ type: 't', state: 'waiting', count: REQUESTS }]);
      // And one of the application's own pool.
      expect(peak).toBeLessThanOrEqual(2 + 1);
      expect(await api.dataSource.query(`SELECT * FROM pq_node WHERE service = '${serviceName}'`)).toEqual([]);
      await api.close();
      await allGone();
    });
  }
});
