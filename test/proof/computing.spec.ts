import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { databases, onEveryDatabase, type TestDatabase } from '../support/databases.js';
import { ServiceFixture } from '../support/service-fixture.js';
import { waitUntil } from '../support/wait-until.js';
import type { WorkerProcess } from '../support/worker-process.js';

const COMPUTING = 60_000;

interface Computed {
  readonly service: ServiceFixture;
  readonly worker: WorkerProcess;
  readonly watcher: WorkerProcess;
  readonly id: string;
}

describe('a handler that computes for 60 s without yielding', () => {
  const services: ServiceFixture[] = [];
  let on: (name: string) => Promise<Computed>;
  beforeAll(() => {
    on = onEveryDatabase(compute);
  });
  afterAll(() => Promise.all(services.map((service) => service.close())));

  async function compute(database: TestDatabase): Promise<Computed> {
    const service = await ServiceFixture.create(database);
    services.push(service);
    const watcher = await service.startWorker({ types: { exclude: ['compute'] } });
    await service.mayRescue(watcher);
    const worker = await service.startWorker();
    const id = await service.begin(worker, 'compute', COMPUTING);
    await service.succeeded(id, COMPUTING + 30_000);
    return { service, worker, watcher, id };
  }

  it.each(databases())(
    'runs once on $name, and its node is reported as blocked by it',
    async ({ name }) => {
      const { service, worker, watcher, id } = await on(name);
      expect(worker.started).toEqual([id]);
      expect(await service.queue.get(id)).toMatchObject({ state: 'succeeded', result: COMPUTING, crashes: 0 });
      expect(await service.queue.history(id)).toMatchObject([{ attempt: 1, outcome: 'succeeded' }]);
      expect([...watcher.named('node.rescued'), ...worker.named('node.lost')]).toEqual([]);
      await waitUntil(() => worker.named('node.blocked').length > 0);
      const [blocked] = worker.named('node.blocked');
      console.info(`${name}: blocked for ${blocked?.for} ms by ${blocked?.handlers.join(', ')}`);
      expect(blocked?.handlers).toEqual(['compute']);
      expect(blocked?.for).toBeGreaterThan(COMPUTING * 0.9);
      expect(blocked?.for).toBeLessThan(COMPUTING * 1.5);
    },
    180_000,
  );
});
