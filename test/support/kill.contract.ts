import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Job } from '../../lib/job/job.js';
import type { FiveSteps, Ran } from '../processes/five-steps.js';
import type { Moment } from '../processes/killer.js';
import { databases, onEveryDatabase, type TestDatabase } from './databases.js';
import { ServiceFixture } from './service-fixture.js';
import { waitUntil } from './wait-until.js';

export const STEPS = ['one', 'two', 'three', 'four', 'five'];
export const MOMENTS: readonly Moment[] = ['before', 'during', 'after'];
const LEASE = { duration: 1_000, beat: 200 };
/** One dies, the other takes over. */
const WORKERS = 2;

interface Survived {
  readonly service: ServiceFixture;
  readonly jobs: readonly Job[];
  readonly ran: readonly Ran[];
  readonly killed: number;
}

/** `kills`: around which commits, one job for each. */
export function killContract(kills: readonly FiveSteps['kill'][]): void {
  const services: ServiceFixture[] = [];
  const folders: string[] = [];
  let on: (name: string) => Promise<Survived>;
  beforeAll(() => {
    on = onEveryDatabase(survive);
  });
  afterAll(async () => {
    await Promise.all(services.map((service) => service.close()));
    await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
  });

  /** Each job kills the process that brings it to its moment first. */
  async function survive(database: TestDatabase): Promise<Survived> {
    const service = await ServiceFixture.create(database, { lease: LEASE, poll: { max: '100ms' } });
    services.push(service);
    const folder = await mkdtemp(join(tmpdir(), 'pq-steps-'));
    folders.push(folder);
    await service.sql('CREATE TABLE effect (job_id BIGINT NOT NULL, step VARCHAR(9) NOT NULL, pid BIGINT NOT NULL)');
    const payloads = kills.map((kill) => ({ payload: { folder, kill, trace: [] } satisfies FiveSteps }));
    const enqueued = await service.queue.enqueueMany('five steps', payloads);
    await waitUntil(
      async () => {
        const alive = service.workers.filter(({ isRunning }) => isRunning).length;
        for (let n = alive; n < WORKERS; n++) service.launchWorker();
        const [count] = await service.queue.counts();
        return count?.state === 'succeeded' && count.count === kills.length;
      },
      {
        timeout: 150_000,
        describe: () => `${database.name}: all jobs to survive, ${service.workers.length} processes`,
      },
    );
    const jobs = await Promise.all(enqueued.map(({ id }) => service.queue.get(id)));
    const ran = readFileSync(join(folder, 'ran'), 'utf8').trim().split('\n');
    return {
      service,
      jobs: jobs as Job[],
      ran: ran.map((line) => JSON.parse(line) as Ran),
      killed: service.workers.filter(({ isRunning }) => !isRunning).length,
    };
  }

  describe.each(databases())('on $name', ({ name }) => {
    it('no finished step runs again, each gets the context that was saved, and the job ends on another node', async () => {
      const { jobs, ran, killed } = await on(name);
      expect(killed).toBe(kills.length);
      expect(ran.filter(({ state }) => state === 'succeeded')).toEqual([]);
      expect(ran.filter(({ isSaved }) => !isSaved)).toEqual([]);
      for (const { id, result } of jobs) {
        const { trace } = result as FiveSteps;
        expect(trace.map((entry) => entry.split(' ')[0])).toEqual(STEPS);
        const mine = ran.filter(({ job }) => job === id);
        expect(new Set(mine.map(({ pid }) => pid)).size).toBeGreaterThan(1);
        expect(mine.some(({ step }) => step === '/OnJobSucceeded')).toBe(true);
      }
    }, 180_000);

    it('a transactional step has exactly one effect, that of the attempt that counts', async () => {
      const { service, jobs } = await on(name);
      const effects = await service.sql<{ job_id: string; step: string; pid: string }>('SELECT * FROM effect');
      const found = effects.map(({ job_id, step, pid }) => `${job_id}: ${step} by ${pid}`);
      const expected = jobs.flatMap(({ id, result }) => {
        const { trace } = result as FiveSteps;
        return [trace[1], trace[3]].map((entry) => `${id}: ${entry}`);
      });
      expect(found.toSorted()).toEqual(expected.toSorted());
    }, 180_000);
  });
}
