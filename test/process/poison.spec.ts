import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { databases, onEveryDatabase, type TestDatabase } from '../support/databases.js';
import { ServiceFixture } from '../support/service-fixture.js';
import { waitUntil } from '../support/wait-until.js';

const LEASE = { duration: 2_000, beat: 400 };
/** The first crash may be anybody's fault; three more are this job's. */
const DEATHS = 4;

interface Poisoned {
  readonly service: ServiceFixture;
  readonly poison: string;
  readonly bystanders: readonly string[];
  readonly deaths: number;
}

describe('a job that takes its process with it each time', () => {
  const services: ServiceFixture[] = [];
  let on: (name: string) => Promise<Poisoned>;
  beforeAll(() => {
    on = onEveryDatabase(startUntilItFails);
  });
  afterAll(() => Promise.all(services.map((service) => service.close())));

  async function startUntilItFails(database: TestDatabase): Promise<Poisoned> {
    const service = await ServiceFixture.create(database, { lease: LEASE, poll: { max: '200ms' } });
    services.push(service);
    const { queue } = service;
    const others = Array.from({ length: 10 }, () => ({ payload: { ms: 300 } }));
    const bystanders = (await queue.enqueueMany('ledger', others)).map(({ id }) => id);
    const { id: poison } = await queue.enqueue('poison');
    const hasFailed = async () => (await queue.get(poison))?.state === 'failed';
    let deaths = 0;
    while (!(await hasFailed()) && deaths <= DEATHS) {
      const worker = service.launchWorker();
      await waitUntil(async () => !worker.isRunning || (await hasFailed()), { timeout: 40_000 });
      if (!worker.isRunning) deaths++;
    }
    return { service, poison, bystanders, deaths };
  }

  describe.each(databases())('on $name', ({ name }) => {
    it('fails as crash after maxCrashes', async () => {
      const { service, poison, deaths } = await on(name);
      expect(deaths).toBe(DEATHS);
      expect(await service.queue.get(poison)).toMatchObject({
        crashes: 3,
        retries: 0,
        lastError: { name: 'CrashError' },
      });
      expect((await service.queue.history(poison)).at(-1)).toMatchObject({ outcome: 'failed', reason: 'crash' });
    }, 120_000);

    it('is held against no other job', async () => {
      const { service, bystanders } = await on(name);
      for (const id of bystanders) {
        await service.succeeded(id, 30_000);
        expect((await service.queue.get(id))?.crashes).toBeLessThan(3);
      }
    }, 120_000);
  });
});
