import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { databases, type TestSchema } from '../support/databases.js';
import { QueueFixture } from '../support/queue-fixture.js';
import { waitUntil } from '../support/wait-until.js';
import { WorkerProcess } from '../support/worker-process.js';

const JOBS = 5_000;

describe.each(databases())('two processes on $name', (database) => {
  let schema: TestSchema;
  let queue: QueueFixture;
  const workers: WorkerProcess[] = [];

  beforeAll(async () => {
    schema = await database.create();
    queue = new QueueFixture(await schema.connect(), {});
    await queue.repository.open();
  });
  afterEach(() => Promise.all(workers.splice(0).map((worker) => worker.kill())));
  afterAll(async () => {
    await queue.close();
    await schema.drop();
  });

  it(`run each of ${JOBS} jobs once, and each of them at least a quarter`, async () => {
    // A short idle poll: the question is how two busy processes share, not how long the second one slept before.
    const start = () => WorkerProcess.start(schema.options, { connections: { max: 3 }, poll: { max: '50ms' } });
    workers.push(...(await Promise.all([start(), start()])));
    await queue.queue.enqueueMany(
      'noop',
      Array.from({ length: JOBS }, () => ({ payload: null })),
    );
    await waitUntil(
      async () => (await queue.queue.counts()).some(({ state, count }) => state === 'succeeded' && count === JOBS),
      {
        timeout: 25_000,
      },
    );
    const shares = await queue.sql<{ node: string; attempts: string }>(
      'SELECT node, COUNT(*) AS attempts FROM pq_attempt GROUP BY node',
    );
    const counts = shares.map(({ attempts }) => Number(attempts));
    console.info(`${database.name}: ${counts.join(' + ')} jobs`);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(JOBS);
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(JOBS / 4);
    // Not by fence: a process that stalls gives its buffered jobs back, and their next claim has a higher fence.
    expect(await queue.sql('SELECT job_id FROM pq_attempt GROUP BY job_id HAVING COUNT(*) > 1')).toEqual([]);
  });
});
