import { afterEach, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import type { Firing } from '../../lib/job/schedule.js';
import { databases, type TestDatabase } from '../support/databases.js';
import { newSchedule } from '../support/new-schedule.js';
import { ServiceFixture } from '../support/service-fixture.js';
import { waitUntil } from '../support/wait-until.js';

const SECOND = 1_000;
const PROCESSES = 5;
const DURATION = 60_000;
const EVERY = 5_000;
const STOPPED_FOR = 3_000;
const DOWN_FOR = 30_000;

const services: ServiceFixture[] = [];
afterEach(async () => {
  await Promise.all(services.splice(0).map((service) => service.close()));
});

async function open(database: TestDatabase): Promise<ServiceFixture> {
  // Short leases only end the jobs of the dead sooner; nobody needs one to fire.
  const service = await ServiceFixture.create(database, { lease: { duration: '3s', beat: '500ms' } });
  services.push(service);
  return service;
}

const times = (firings: readonly Firing[]) =>
  firings.map(({ fireTime }) => fireTime.getTime()).toSorted((a, b) => a - b);

describe('a schedule of each second', () => {
  /** Every 5 s one process is killed, and another takes its place; and one is stopped for 3 s. */
  async function attack(service: ServiceFixture): Promise<{ kills: number; stops: number }> {
    const counts = { kills: 0, stops: 0 };
    for (const until = performance.now() + DURATION; performance.now() < until;) {
      const [victim, sleeper] = service.workers
        .filter(({ isRunning }) => isRunning)
        .toSorted(() => Math.random() - 0.5);
      if (victim === undefined || sleeper === undefined) throw new Error('All processes have ended.');
      sleeper.freeze();
      counts.stops++;
      await victim.kill();
      counts.kills++;
      const next = service.startWorker();
      await pause(STOPPED_FOR);
      sleeper.thaw();
      await Promise.all([next, pause(EVERY - STOPPED_FOR)]);
    }
    return counts;
  }

  async function prove(database: TestDatabase): Promise<void> {
    const service = await open(database);
    await Promise.all(Array.from({ length: PROCESSES }, () => service.startWorker()));
    await service.schedules.save(
      newSchedule({ spec: '@every 1s', type: 'ledger', payload: '{"ms":1}', misfire: 'all' }),
    );
    await waitUntil(async () => (await service.schedules.history('s', 1)).length > 0);
    const { kills, stops } = await attack(service);
    await service.schedules.setEnabled('s', false);
    await waitUntil(async () => (await service.schedules.get('s'))?.nextFireAt === undefined);
    const firings = await service.schedules.history('s', 1_000);
    const fired = times(firings);
    const first = fired[0] as number;
    expect(fired).toEqual(fired.map((_, index) => first + index * SECOND));
    expect(fired.length).toBeGreaterThan(DURATION / SECOND - 5);
    expect(new Set(firings.map(({ outcome }) => outcome))).toEqual(new Set(['fired']));
    const { jobs } = await service.queue.find({ type: 'ledger' }, { limit: 1_000 });
    const keys = jobs.map(({ key }) => key);
    expect(keys).toHaveLength(fired.length);
    expect(new Set(keys)).toEqual(new Set(fired.map((time) => `s@${new Date(time).toISOString()}`)));
    await waitUntil(
      async () => (await service.queue.counts()).every(({ state }) => state === 'succeeded' || state === 'failed'),
      {
        timeout: 20_000,
      },
    );
    console.info(`${database.name}: ${kills} kills, ${stops} stops, ${fired.length} fire times, each fired once`);
  }

  it('fires once for each, and leaves none out, while processes are killed and stopped: on all databases', async () => {
    await Promise.all(databases().map(prove));
  }, 240_000);
});

describe('after 30 s without any process', () => {
  const STEP = 2 * SECOND;
  const spec = '@every 2s';

  async function prove(database: TestDatabase): Promise<void> {
    const service = await open(database);
    const policies = [
      newSchedule({ name: 'skip', misfire: 'skip', spec, type: 'noop' }),
      newSchedule({ name: 'once', misfire: 'once', spec, type: 'noop' }),
      newSchedule({ name: 'all', misfire: 'all', spec, type: 'noop' }),
      newSchedule({ name: 'limited', misfire: 'all', misfireLimit: 3, spec, type: 'noop' }),
    ];
    const workers = await Promise.all([service.startWorker(), service.startWorker()]);
    for (const policy of policies) await service.schedules.save(policy);
    const names = policies.map(({ name }) => name);
    const history = (name: string) => service.schedules.history(name, 100);
    await waitUntil(async () => (await Promise.all(names.map(history))).every((firings) => firings.length >= 2));
    await Promise.all(workers.map((worker) => worker.kill()));
    const before = Object.fromEntries(
      await Promise.all(names.map(async (name) => [name, times(await history(name)).at(-1)])),
    );
    await pause(DOWN_FOR);
    await service.startWorker();
    for (const name of names) {
      await waitUntil(async () => (times(await history(name)).at(-1) as number) > before[name] + DOWN_FOR);
      const firings = (await history(name)).filter(({ fireTime }) => fireTime.getTime() > before[name]);
      verify(name, firings, before[name]);
    }
    const due = DOWN_FOR / STEP;
    console.info(
      `${database.name}: about ${due} fire times were missed; skip, once, all and all with a limit of 3 kept to their word`,
    );
  }

  /** The first firing after the downtime makes up for it; those behind it are on time. */
  function verify(policy: string, firings: readonly Firing[], last: number): void {
    const fired = times(firings.filter(({ outcome }) => outcome === 'fired'));
    const missed = times(firings.filter(({ outcome }) => outcome === 'missed'));
    const each = (from: number, to: number) =>
      Array.from({ length: (to - from) / STEP + 1 }, (_, index) => from + index * STEP);
    const latest = fired.at(-1) as number;
    const first = fired[0] as number;
    expect([policy, fired]).toEqual([policy, each(first, latest)]);
    if (policy === 'all') {
      expect(first).toBe(last + STEP);
      expect(missed).toEqual([]);
    } else {
      // What is behind the downtime begins with the latest, or with the latest three.
      expect(first).toBeGreaterThanOrEqual(last + DOWN_FOR - 3 * STEP);
      expect([policy, missed]).toEqual([policy, [first - STEP]]);
    }
  }

  it('each misfire policy fires what it says: on all databases', async () => {
    await Promise.all(databases().map(prove));
  }, 120_000);
});
