import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { databases, onEveryDatabase, type TestDatabase } from '../support/databases.js';
import { ServiceFixture } from '../support/service-fixture.js';
import { waitUntil } from '../support/wait-until.js';
import type { WorkerProcess } from '../support/worker-process.js';

const LEASE = { duration: 2_000, beat: 400 };
const LEASES = 3;
/** Shorter than the stop: what comes after it is the first thing that happens when the process goes on. */
const PAUSE = 3_000;

interface Stopped {
  readonly service: ServiceFixture;
  readonly stopped: WorkerProcess;
  readonly watcher: WorkerProcess;
  /** One of each type. */
  readonly jobs: readonly string[];
  readonly tookOver: readonly unknown[];
}

/** SQLite has one writer: a process that is stopped in the middle of a transaction holds up everybody until it goes on. */
const typesFor = ({ name }: TestDatabase) => ['wait', 'transfer', ...(name === 'sqlite' ? [] : ['long transfer'])];

describe('a process that is stopped for three leases', () => {
  const services: ServiceFixture[] = [];
  let on: (name: string) => Promise<Stopped>;
  beforeAll(() => {
    on = onEveryDatabase(stopAndGoOn);
  });
  afterAll(() => Promise.all(services.map((service) => service.close())));

  async function stopAndGoOn(database: TestDatabase): Promise<Stopped> {
    const service = await ServiceFixture.create(database, { lease: LEASE, poll: { max: '200ms' } });
    services.push(service);
    const types = typesFor(database);
    const stopped = await service.startWorker();
    const jobs = await Promise.all(types.map((type) => service.begin(stopped, type, PAUSE)));
    const known = () => service.sql('SELECT id FROM pq_job WHERE started_at > 0');
    await waitUntil(async () => (await known()).length === jobs.length, { describe: 'the starts to be recorded' });
    stopped.freeze();
    const until = performance.now() + LEASES * LEASE.duration;
    await Promise.all(jobs.map((id) => service.shorten(id)));
    const watcher = await service.startWorker({ types: { include: types } });
    for (const id of jobs) await service.succeeded(id, 15_000);
    const tookOver = await inDatabase(service, jobs);
    await pause(Math.max(0, until - performance.now()));
    stopped.thaw();
    return { service, stopped, watcher, jobs, tookOver };
  }

  /** Everything that a late write could change. */
  async function inDatabase({ queue, sql }: ServiceFixture, jobs: readonly string[]): Promise<unknown[]> {
    return [
      await Promise.all(jobs.map((id) => queue.get(id))),
      await Promise.all(jobs.map((id) => queue.history(id))),
      await sql('SELECT job_id, pid FROM ledger ORDER BY job_id, pid'),
    ];
  }

  describe.each(databases())('on $name', ({ name }) => {
    it('has lost its jobs: each has one effect, its late writes are refused and change nothing', async () => {
      const { service, stopped, watcher, jobs, tookOver } = await on(name);
      const lost = () => new Set(stopped.named('job.lost').map(({ job }) => job.id));
      await waitUntil(() => lost().size === jobs.length, { describe: () => `${lost().size} jobs to be lost` });
      expect(stopped.refused).toEqual(['LeaseLostError']);
      expect(await inDatabase(service, jobs)).toEqual(tookOver);
      expect(new Set(watcher.started)).toEqual(new Set(jobs));
      expect(watcher.started).toHaveLength(jobs.length);
      for (const id of jobs) {
        expect(await service.queue.get(id)).toMatchObject({ state: 'succeeded', result: watcher.pid });
        const attempts = await service.queue.history(id);
        expect(attempts.map(({ outcome, node }) => [outcome, node.includes(`:${watcher.pid}#`)])).toEqual([
          ['crashed', false],
          ['succeeded', true],
        ]);
      }
      const [, ...transfers] = jobs;
      const effects = await service.sql<{ job_id: string; pid: string }>('SELECT job_id, pid FROM ledger');
      expect(new Set(effects.map(({ job_id, pid }) => `${job_id} by ${pid}`))).toEqual(
        new Set(transfers.map((id) => `${id} by ${watcher.pid}`)),
      );
      expect(effects).toHaveLength(transfers.length);
    }, 60_000);

    it('goes on working as a new node', async () => {
      const { service, stopped, jobs } = await on(name);
      await waitUntil(() => stopped.named('node.registered').length > 0);
      expect(stopped.named('node.lost')).toHaveLength(1);
      const next = await service.begin(stopped, 'ledger', 1);
      await service.succeeded(next, 10_000);
      const [attempt] = await service.queue.history(next);
      expect(stopped.named('node.registered').map(({ node }) => node)).toEqual([attempt?.node]);
      const [crashed] = await service.queue.history(jobs[0] as string);
      expect(attempt?.node).not.toBe(crashed?.node);
      expect(stopped.isRunning).toBe(true);
    }, 60_000);
  });
});
