import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { QueueEvent } from '../../lib/events/queue-event.js';
import type { PersistentQueueOptions } from '../../lib/options/module-options.js';
import { databases, type TestSchema } from '../support/databases.js';
import { QueueFixture } from '../support/queue-fixture.js';
import { waitUntil } from '../support/wait-until.js';
import { WorkerProcess } from '../support/worker-process.js';

/** Short, so that tests are; a minute of computing under the default lease is measured by `PQ_TEST_LEASE=default`. */
const isDefault = process.env['PQ_TEST_LEASE'] === 'default';
const LEASE = isDefault ? {} : { duration: 2_000, beat: 400 };
const COMPUTING = isDefault ? 60_000 : 6_000;
const TIMEOUT = COMPUTING + 60_000;

describe.each(databases())('the heartbeat on $name', (database) => {
  let schema: TestSchema;
  let queue: QueueFixture;
  let services = 0;
  let serviceName: string;
  const workers: WorkerProcess[] = [];

  beforeAll(async () => {
    schema = await database.create();
    const dataSource = await schema.connect();
    await dataSource.query('CREATE TABLE ledger (job_id BIGINT NOT NULL, pid BIGINT NOT NULL)');
  });
  beforeEach(async () => {
    serviceName = `service-${++services}`;
    queue = new QueueFixture(await schema.connect(), { serviceName });
    await queue.repository.open();
  });
  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.kill()));
    await queue.close();
  });
  afterAll(() => schema.drop());

  async function startWorker(options: PersistentQueueOptions = {}): Promise<WorkerProcess> {
    const worker = await WorkerProcess.start(schema.options, {
      serviceName,
      lease: LEASE,
      connections: { max: 2 },
      poll: { max: '200ms' },
      ...options,
    });
    workers.push(worker);
    return worker;
  }

  /** A process that has begun the job, and one that waits to take it over. */
  async function watched(type: string, ms: number, lease = {}): Promise<[string, WorkerProcess, WorkerProcess]> {
    const watcher = await startWorker({ types: { exclude: [type] } });
    await waitUntil(() => graceIsOver(watcher), { timeout: 40_000, describe: 'the watcher to be allowed to rescue' });
    const worker = await startWorker({ lease: { ...LEASE, ...lease }, types: { include: [type] } });
    const { id } = await queue.queue.enqueue(type, { ms });
    await waitUntil(() => worker.started.includes(id));
    return [id, worker, watcher];
  }

  /** A node may rescue when it has beaten for one full lease: its row tells for how long it has. */
  async function graceIsOver(worker: WorkerProcess): Promise<boolean> {
    const [row] = await queue.sql<{ beaten: string; lease: string }>(
      'SELECT beat_at - registered_at AS beaten, expires_at - beat_at AS lease FROM pq_node WHERE service = ? AND name LIKE ?',
      [serviceName, `%:${worker.pid}`],
    );
    return row !== undefined && Number(row.beaten) > Number(row.lease);
  }

  const named = <Name extends QueueEvent['name']>({ events }: WorkerProcess, name: Name) =>
    events.filter((event): event is Extract<QueueEvent, { name: Name }> => event.name === name);

  it(
    `survives ${COMPUTING / 1_000} s of computing in a handler, which is named`,
    async () => {
      const [id, worker, watcher] = await watched('compute', COMPUTING);
      await waitUntil(async () => (await queue.queue.get(id))?.state === 'succeeded', { timeout: COMPUTING + 20_000 });
      expect(await queue.queue.history(id)).toHaveLength(1);
      expect(worker.started).toEqual([id]);
      expect(await queue.queue.get(id)).toMatchObject({ result: COMPUTING, crashes: 0 });
      expect(named(watcher, 'node.rescued')).toEqual([]);
      await waitUntil(() => named(worker, 'node.blocked').length > 0);
      const [blocked] = named(worker, 'node.blocked');
      expect(blocked?.handlers).toEqual(['compute']);
      expect(blocked?.for).toBeGreaterThan(COMPUTING * 0.9);
      expect(blocked?.for).toBeLessThan(COMPUTING * 1.5);
      expect(named(worker, 'node.lost')).toEqual([]);
    },
    TIMEOUT,
  );

  it(
    'ends when the main thread hangs for longer than hungAfter; what that answers at last is dropped',
    async () => {
      const lease = { duration: 2_000, beat: 400, hungAfter: 3_000 };
      const [id, worker, watcher] = await watched('compute', 12_000, lease);
      await waitUntil(() => named(watcher, 'node.rescued').length > 0, { timeout: 12_000 });
      expect(named(worker, 'node.lost')).toEqual([]);
      await queue.sql(`UPDATE pq_job SET payload = '{"ms":1}' WHERE id = ?`, [Number(id)]);
      await waitUntil(async () => (await queue.queue.get(id))?.state === 'succeeded', { timeout: 25_000 });
      expect(await queue.queue.get(id)).toMatchObject({ result: 1 });
      expect(worker.started).toEqual([id, id]);
      expect(named(worker, 'node.lost')).toHaveLength(1);
      expect(named(worker, 'node.registered')).toHaveLength(1);
    },
    TIMEOUT,
  );

  it(
    'stops with a process that is stopped, which goes on as a new node',
    async () => {
      const [id, worker, watcher] = await watched('ledger', 60_000);
      worker.freeze();
      await waitUntil(() => named(watcher, 'node.rescued').length > 0, { timeout: 25_000 });
      worker.thaw();
      await waitUntil(() => worker.aborted.includes(id), { timeout: 15_000 });
      await waitUntil(() => worker.events.some(({ name }) => name === 'node.registered'));
      expect(named(worker, 'node.lost')).toHaveLength(1);
    },
    TIMEOUT,
  );

  it('keeps no process alive that is told to end', async () => {
    const worker = await startWorker();
    const before = performance.now();
    await worker.stop();
    expect(performance.now() - before).toBeLessThan(5_000);
  });
});
