import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { databaseOn, databases } from '../support/databases.js';
import { startMariaDb, startMySql, startPostgres, type Server } from '../support/servers.mjs';
import { ServiceFixture } from '../support/service-fixture.js';
import { waitUntil } from '../support/wait-until.js';
import type { WorkerProcess } from '../support/worker-process.js';

const OUTAGE = 30_000;
const RESUMES_WITHIN = 5_000;
/** For how long an enqueue is tried again. */
const PATIENCE = 10_000;
/** Of the producer, in milliseconds: 50 jobs a second. */
const EVERY = 20;
/** How long the jobs take that run when the database goes: some end while it is away, the others after its return. */
const LONG_JOBS = [5_000, 15_000, 25_000, 40_000, 60_000];
const LOAD = 150;

const available = new Set(databases().map(({ name }) => name));
const kinds = [
  { name: 'mariadb', start: startMariaDb },
  { name: 'mysql', start: startMySql },
  { name: 'postgres', start: startPostgres },
] as const;

describe.each(kinds.filter(({ name }) => available.has(name)))('$name, down for 30 s under load', ({ name, start }) => {
  let server: Server;
  let service: ServiceFixture;
  let workers: WorkerProcess[];
  let producer: WorkerProcess;
  let producing: NodeJS.Timeout | undefined;
  let long: string[];

  beforeAll(async () => {
    // What a commit has promised is on the disk: the server is killed.
    server = (await start({ durable: true })) as Server;
    service = await ServiceFixture.create(databaseOn(name, server.url));
    producer = await service.startWorker({ roles: ['enqueue'] });
    workers = await Promise.all([service.startWorker(), service.startWorker()]);
    // Each of them could take the other for dead.
    await Promise.all(workers.map((worker) => service.mayRescue(worker)));
    producing = setInterval(() => producer.enqueue('wait', { ms: Math.random() * LOAD }), EVERY);
  }, 90_000);
  afterAll(async () => {
    clearInterval(producing);
    await service.close();
    await server.stop();
  });

  const starts = () => workers.flatMap(({ started }) => started);

  it('has each worker at work again within 5 s, and the producer too', async () => {
    long = (
      await service.queue.enqueueMany(
        'wait',
        LONG_JOBS.flatMap((ms) => [{ payload: { ms } }, { payload: { ms } }]),
      )
    ).map(({ id }) => id);
    await waitUntil(() => long.every((id) => starts().includes(id)), { describe: 'the long jobs to start' });
    await pause(1_000);

    await server.crash();
    const acknowledged = () => producer.enqueued.length;
    // What was on its way from the producer to here.
    await pause(1_000);
    const enqueued = acknowledged();
    await pause(OUTAGE - 1_000);
    expect(acknowledged()).toBe(enqueued);
    await server.restart();
    const returned = performance.now();
    const before = workers.map(({ started }) => started.length);
    const within = async (isBack: () => boolean, what: string) => {
      await waitUntil(isBack, { timeout: 3 * RESUMES_WITHIN, describe: what });
      return Math.round(performance.now() - returned);
    };
    const took = await Promise.all([
      within(() => acknowledged() > enqueued, 'the producer to enqueue'),
      ...workers.map(({ started }, n) =>
        within(() => started.length > (before[n] as number), `worker ${n} to start a job`),
      ),
    ]);
    console.info(`${name}: the producer and both workers are back after ${took.join(', ')} ms`);
    expect(Math.max(...took)).toBeLessThan(RESUMES_WITHIN);
  }, 90_000);

  it('has kept no caller waiting for long: enqueues of the first seconds were refused, not left behind others', () => {
    const firstSeconds = (OUTAGE - PATIENCE - 5_000) / EVERY;
    expect(producer.refused.length).toBeGreaterThan(firstSeconds / 2);
  });

  it('has ended no process', () => {
    // Node ends a process that leaves a rejection unhandled.
    expect(service.workers.filter(({ isRunning }) => !isRunning)).toEqual([]);
  });

  it('has lost no job: all that were enqueued succeed', async () => {
    clearInterval(producing);
    const open = async () =>
      (await service.queue.counts()).filter(({ state }) => !['succeeded', 'failed', 'cancelled'].includes(state));
    await waitUntil(async () => (await open()).length === 0, { timeout: 90_000, describe: 'the last job to end' });
    const rows = await service.sql<{ id: unknown }>("SELECT id FROM pq_job WHERE state = 'succeeded'");
    const succeeded = new Set(rows.map(({ id }) => String(id)));
    expect([...producer.enqueued, ...long].filter((id) => !succeeded.has(id))).toEqual([]);
    expect((await service.queue.counts()).map(({ state }) => state)).toEqual(['succeeded']);
    console.info(`${name}: ${succeeded.size} jobs, of which ${producer.enqueued.length} were acknowledged`);
  }, 120_000);

  it('has started no job again', async () => {
    const twice = starts().filter((id, at, all) => all.indexOf(id) !== at);
    expect(twice).toEqual([]);
    for (const id of long)
      expect(await service.queue.history(id)).toMatchObject([{ outcome: 'succeeded', attempt: 1 }]);
    expect(workers.flatMap((worker) => [...worker.named('node.rescued'), ...worker.named('node.lost')])).toEqual([]);
  });

  it('has ended no process afterwards either', () => {
    expect(service.workers.filter(({ isRunning }) => !isRunning)).toEqual([]);
  });
});
