import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import type { PersistentQueueOptions } from '../../lib/options/module-options.js';
import { QueueFixture } from '../support/queue-fixture.js';
import { waitUntil } from '../support/wait-until.js';
import { describeWays, type WakeUpWay } from '../support/wake-up-way.js';
import { WorkerProcess } from '../support/worker-process.js';

/** Nobody finds a job by polling before a test has failed. */
const NEVER = { min: '1m', max: '1m' };

describeWays('processes that wake each other over $name', ({ start }) => {
  let way: WakeUpWay;
  let tables: QueueFixture;
  const processes: WorkerProcess[] = [];
  beforeAll(async () => {
    way = await start();
    tables = new QueueFixture(await way.schema.connect(), {});
    await tables.repository.open();
  }, 60_000);
  afterEach(() => Promise.all(processes.splice(0).map((each) => each.kill())));
  afterAll(async () => {
    await tables.close();
    await way.close();
  });

  async function open(queue: PersistentQueueOptions): Promise<WorkerProcess> {
    const { options, redis } = way.inProcess;
    const opened = await WorkerProcess.start(
      way.schema.options,
      { poll: NEVER, ...options, ...queue },
      redis && { redis },
    );
    processes.push(opened);
    return opened;
  }

  it('run what another one has enqueued, without polling', async () => {
    const worker = await open({});
    await waitUntil(async () => (await way.listeners()) === 1);
    const producer = await open({ roles: ['enqueue'] });
    for (let n = 1; n <= 10; n++) {
      producer.enqueue('wait', { ms: 0 });
      await waitUntil(() => worker.started.length === n, { describe: `job ${n} to start` });
    }
    await waitUntil(() => producer.enqueued.length === 10);
    expect(worker.started).toEqual(producer.enqueued);
    // It goes as it came, with nothing that would keep it.
    await Promise.all([worker.stop(), producer.stop()]);
    expect(await way.listeners()).toBe(0);
  }, 30_000);
});
