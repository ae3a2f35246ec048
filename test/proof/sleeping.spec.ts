import { afterEach, describe, expect, it } from '@jest/globals';
import type { JobContext } from '../../lib/job/job-context.js';
import { WorkerPool } from '../../lib/worker/worker-pool.js';
import { handler, startApp, type AppFixture } from '../support/app-fixture.js';
import { databases, type TestSchema } from '../support/databases.js';
import { waitUntil } from '../support/wait-until.js';

const JOBS = 10_000;
/** By then all of them have gone to sleep, in milliseconds. */
const FIRST_WAKES_AFTER = 40_000;
/** They wake one after the other, over so many milliseconds. */
const WINDOW = 20_000;
const LONGEST_POLL = 1_000;

describe.each(databases())('10,000 sleeping jobs on $name', (database) => {
  let schema: TestSchema | undefined;
  let app: AppFixture | undefined;
  afterEach(async () => {
    await app?.close();
    await schema?.drop();
  });

  it('hold no slot and no timer, and wake within one poll of their time', async () => {
    schema = await database.create();
    const late: number[] = [];
    const nap = async ({ at }: { at: number }, job: JobContext) => {
      await job.sleepUntil('nap', new Date(at));
      late.push(Date.now() - at);
    };
    app = await startApp(schema, {
      providers: [handler('nap', nap, { maxRetries: 0 })],
      queue: { connections: { max: 8 }, poll: { min: 20, max: LONGEST_POLL } },
    });
    const { queue } = app;
    const first = Date.now() + FIRST_WAKES_AFTER;
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    await queue.enqueueMany(
      'nap',
      Array.from({ length: JOBS }, (_, n) => ({ payload: { at: first + Math.floor((n * WINDOW) / JOBS) } })),
    );
    const asleep = async () => (await queue.counts()).every(({ state }) => state === 'scheduled');
    await waitUntil(asleep, { timeout: FIRST_WAKES_AFTER, describe: 'all jobs to sleep' });
    expect(late).toEqual([]);
    expect(app.app.get(WorkerPool).size).toBe(0);
    expect(timers() - before).toBeLessThan(20);
    await waitUntil(() => late.length === JOBS, {
      timeout: FIRST_WAKES_AFTER + WINDOW + 20_000,
      describe: () => `all jobs to wake; ${late.length} have`,
    });
    const sorted = late.toSorted((a, b) => a - b);
    const at = (share: number) => sorted[Math.floor(share * (JOBS - 1))] ?? Infinity;
    console.info(`${database.name}: woke late by ${at(0.5)} ms (median), ${at(0.99)} ms (99 %), ${at(1)} ms (most)`);
    expect(at(0)).toBeGreaterThanOrEqual(-1);
    expect(at(0.99)).toBeLessThan(LONGEST_POLL);
  }, 180_000);
});
