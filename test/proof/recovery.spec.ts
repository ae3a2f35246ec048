import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { databases } from '../support/databases.js';
import { ServiceFixture } from '../support/service-fixture.js';
import { waitUntil } from '../support/wait-until.js';
import type { WorkerProcess } from '../support/worker-process.js';

/** One after the other, so that nobody takes over a job who is about to be killed himself. */
const ROUNDS = 2;
const VICTIMS = 10;
/** The default. */
const BEAT = 4_000;
const WITHIN = 20_000;

describe.each(databases())('after kill -9 of a node on $name', (database) => {
  let service: ServiceFixture;
  let watchers: WorkerProcess[];

  beforeAll(async () => {
    service = await ServiceFixture.create(database);
    watchers = await Promise.all([service.startWorker(), service.startWorker()]);
    await Promise.all(watchers.map((watcher) => service.mayRescue(watcher)));
  }, 90_000);
  afterAll(() => service.close());

  /** A process of its own with a job that it runs. */
  async function startVictim(): Promise<[WorkerProcess, string]> {
    const victim = await service.startWorker();
    for (let tries = 0; victim.started.length === 0; tries++) {
      victim.enqueue('wait', { ms: 600_000 });
      await waitUntil(() => victim.enqueued.length > tries && isRunning(victim.enqueued[tries] as string));
    }
    return [victim, victim.started[0] as string];
  }

  /** A watcher may have been quicker. */
  const isRunning = (id: string) => service.workers.some(({ started }) => started.includes(id));

  /** Answers the milliseconds until the job starts on another node. */
  async function killAndWait([victim, id]: [WorkerProcess, string]): Promise<number> {
    // Any moment between two beats.
    await pause(Math.random() * BEAT);
    await victim.kill();
    const killed = performance.now();
    const others = service.workers.filter((worker) => worker !== victim);
    await waitUntil(() => others.some(({ started }) => started.includes(id)), {
      timeout: 2 * WITHIN,
      describe: `job ${id} to start on another node`,
    });
    return performance.now() - killed;
  }

  it(`its job starts elsewhere within 20 s: ${ROUNDS * VICTIMS} kills`, async () => {
    const recoveries: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const victims = await Promise.all(Array.from({ length: VICTIMS }, startVictim));
      recoveries.push(...(await Promise.all(victims.map(killAndWait))));
    }
    const seconds = recoveries.map((took) => took / 1_000).sort((a, b) => a - b);
    const median = ((seconds[9] as number) + (seconds[10] as number)) / 2;
    console.info(
      `${database.name}: ${seconds.length} recoveries, median ${median.toFixed(1)} s, ` +
        `from ${seconds[0]?.toFixed(1)} to ${seconds.at(-1)?.toFixed(1)} s`,
    );
    expect(seconds).toHaveLength(20);
    expect(seconds.at(-1)).toBeLessThan(WITHIN / 1_000);
  }, 180_000);
});
