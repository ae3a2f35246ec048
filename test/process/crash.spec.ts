import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { PersistentQueueOptions } from '../../lib/options/module-options.js';
import { databases, type TestSchema } from '../support/databases.js';
import { QueueFixture } from '../support/queue-fixture.js';
import { graceIsOver } from '../support/service-fixture.js';
import { waitUntil } from '../support/wait-until.js';
import { WorkerProcess } from '../support/worker-process.js';

/** Short, so that tests are; with the default lease, recovery is measured in test/proof. */
const LEASE = { duration: 2_000, beat: 400 };
const RECOVERY = 6_000;

describe.each(databases())('a crash on $name', (database) => {
  let schema: TestSchema;
  let queue: QueueFixture;
  let services = 0;
  let options: PersistentQueueOptions;
  const workers: WorkerProcess[] = [];

  beforeAll(async () => {
    schema = await database.create();
    const dataSource = await schema.connect();
    await dataSource.query('CREATE TABLE ledger (job_id BIGINT NOT NULL, pid BIGINT NOT NULL)');
    queue = new QueueFixture(dataSource, {});
    await queue.repository.open();
  });
  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.kill()));
    await queue.close();
  });
  afterAll(() => schema.drop());

  async function service(): Promise<QueueFixture> {
    await queue.close();
    options = { serviceName: `service-${++services}`, lease: LEASE, connections: { max: 2 }, poll: { max: '200ms' } };
    queue = new QueueFixture(await schema.connect(), options);
    await queue.repository.open();
    return queue;
  }

  async function startWorker(): Promise<WorkerProcess> {
    const worker = await WorkerProcess.start(schema.options, options);
    workers.push(worker);
    return worker;
  }

  it('of a worker with 50 running jobs: all 50 run again elsewhere, none is lost, attempts and history are right', async () => {
    const { queue: jobs, sql } = await service();
    const enqueued = await jobs.enqueueMany(
      'ledger',
      Array.from({ length: 50 }, () => ({ payload: { ms: 60_000 } })),
    );
    const first = await startWorker();
    await waitUntil(() => first.started.length === 50);
    await waitUntil(
      async () =>
        Number(
          (
            await sql('SELECT COUNT(*) AS n FROM pq_job WHERE service = ? AND started_at > 0', [options.serviceName])
          )[0]?.['n'],
        ) === 50,
    );
    await sql(`UPDATE pq_job SET payload = '{"ms":1}' WHERE service = ?`, [options.serviceName]);
    const second = await startWorker();
    await waitUntil(async () => await graceIsOver(queue, second), {
      timeout: 30_000,
      describe: 'the second node to be allowed to rescue',
    });

    await first.kill();
    const died = performance.now();
    await waitUntil(
      async () => (await jobs.counts()).some(({ state, count }) => state === 'succeeded' && count === 50),
      { timeout: RECOVERY },
    );
    console.info(`${database.name}: 50 jobs recovered ${Math.round(performance.now() - died)} ms after kill -9`);

    expect(new Set(second.started)).toEqual(new Set(enqueued.map(({ id }) => id)));
    expect(second.started).toHaveLength(50);
    for (const { id } of enqueued) {
      expect(await jobs.get(id)).toMatchObject({ state: 'succeeded', result: second.pid, retries: 0, crashes: 0 });
      expect(
        (await jobs.history(id)).map(({ attempt, outcome, reason, node }) => [
          attempt,
          outcome,
          reason,
          node.includes(`:${first.pid}#`),
        ]),
      ).toEqual([
        [1, 'crashed', 'crash', true],
        [1, 'succeeded', undefined, false],
      ]);
    }
  }, 90_000);

  it('of a worker that has ended some jobs while another goes on: what has ended does not run again', async () => {
    const { queue: jobs, sql } = await service();
    const first = await startWorker();
    const long = await jobs.enqueue('ledger', { ms: 60_000 });
    await waitUntil(() => first.started.includes(long.id));
    const short = await jobs.enqueueMany(
      'ledger',
      Array.from({ length: 20 }, () => ({ payload: { ms: 1 } })),
    );
    const ended = async () => (await jobs.counts()).find(({ state }) => state === 'succeeded')?.count;
    await waitUntil(async () => (await ended()) === short.length);
    await sql(`UPDATE pq_job SET payload = '{"ms":1}' WHERE service = ?`, [options.serviceName]);
    await first.kill();
    const second = await startWorker();
    await waitUntil(async () => (await ended()) === short.length + 1, { timeout: 4 * RECOVERY });
    expect(second.started).toEqual([long.id]);
    for (const { id } of short) expect(await jobs.history(id)).toHaveLength(1);
  }, 90_000);
});
