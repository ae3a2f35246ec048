import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import type { TenantPayload } from '../processes/limited.js';
import { databases } from '../support/databases.js';
import { readHistory, type LeaseHistory } from '../support/lease-history.js';
import { LimitsFixture } from '../support/limits-fixture.js';
import { waitUntil } from '../support/wait-until.js';

const TENANTS = Array.from({ length: 50 }, (_, n) => `tenant-${n}`);
const LIMIT = 2;
const PROCESSES = 4;
/** Of each process: in all as many slots as the tenants have. */
const CONCURRENCY = (TENANTS.length * LIMIT) / PROCESSES;
const DURATION = Number(process.env['PQ_PROOF_LIMIT_SECONDS'] ?? 30) * 1_000;
const LEASE = 5_000;
/** How often a process is killed. */
const EVERY = 4_000;
/** A slot that a dead process holds is free after the lease, and when somebody has looked. */
const LONGEST_WAIT = LEASE + 5_000;
/** The longest pause between two looks is 2 s. */
const LONGEST_IDLE = 4_000;
const QUEUE = { concurrency: CONCURRENCY, lease: { duration: LEASE, beat: 1_000 } };

const jobsOf = (tenant: string, count: number, ms: () => number): TenantPayload[] =>
  Array.from({ length: count }, () => ({ tenant, ms: ms() }));
const most = (values: readonly number[]) => Math.max(...values);

describe.each(databases())(
  `${TENANTS.length} tenants with ${LIMIT} slots each on $name: ${PROCESSES} processes, killed at any moment`,
  (database) => {
    let limits: LimitsFixture;
    let history: LeaseHistory;
    let kills = 0;
    const over = new AbortController();
    const ms = () => 5 + Math.floor(Math.random() * 60);

    beforeAll(async () => {
      limits = await LimitsFixture.create(database, { queue: QUEUE, limit: LIMIT, ledger: true });
      // One has far more than all the others, and was first.
      await limits.enqueue('keyed', jobsOf('tenant-0', 2_000, ms));
      await feed();
      await limits.start(PROCESSES);
      const beside = [untilOver(feed, 500), untilOver(() => limits.sample(), 10)];
      try {
        await harass();
      } finally {
        over.abort();
        await Promise.all(beside);
      }
      history = readHistory(await limits.entries(), LIMIT);
    }, DURATION + 240_000);
    afterAll(() => limits.close());

    /** Nobody runs out of waiting jobs: some come through the queue, some by plain SQL. */
    async function feed(): Promise<void> {
      const waiting = await limits.waiting();
      const hungry = TENANTS.filter((tenant) => (waiting.get(tenant) ?? 0) < 60);
      await limits.enqueue(
        'keyed',
        hungry.flatMap((tenant) => jobsOf(tenant, 30, ms)),
      );
      await limits.insert(
        'keyed',
        hungry.flatMap((tenant) => jobsOf(tenant, 10, ms)),
      );
    }

    async function untilOver(work: () => Promise<void>, every: number): Promise<void> {
      while (!over.signal.aborted) {
        await work();
        await pause(every);
      }
    }

    async function harass(): Promise<void> {
      for (const until = performance.now() + DURATION; performance.now() < until;) {
        await pause(EVERY * (0.5 + Math.random()));
        const running = limits.processes.filter(({ isRunning, isReady }) => isRunning && isReady);
        const victim = running[Math.floor(Math.random() * running.length)];
        if (victim === undefined) continue;
        kills++;
        await limits.kill(victim);
        limits.launch();
      }
    }

    const of = (figure: (tenant: LeaseHistory['tenants'][number]) => number) => history.tenants.map(figure);

    it('never have more leases than slots', () => {
      const taken = of((tenant) => tenant.taken).reduce((sum, each) => sum + each, 0);
      console.info(
        `${database.name}: ${taken} claims, ${kills} kills; at most ${most(of((tenant) => tenant.mostLeases))} leases and ` +
          `${most(of((tenant) => tenant.mostHandlers))} living handlers of a tenant, ${limits.mostSampled} in ${limits.samples} samples; ` +
          `shares from ${Math.min(...history.shares)} to ${most(history.shares)}; nothing of a tenant taken for ` +
          `${most(of((tenant) => tenant.longestWait))} ms at most, with a free slot for ${most(of((tenant) => tenant.longestIdle))} ms`,
      );
      expect(kills).toBeGreaterThan(DURATION / (2 * EVERY));
      expect(of((tenant) => tenant.mostLeases)).toEqual(TENANTS.map(() => LIMIT));
      expect(limits.mostSampled).toBe(LIMIT);
    });

    it('never have more handlers at work than slots, each under a lease of its own', () => {
      expect(most(of((tenant) => tenant.mostHandlers))).toBe(LIMIT);
      expect(of((tenant) => tenant.unfounded)).toEqual(TENANTS.map(() => 0));
    });

    it('do not starve: not while a slot of theirs is free, and while a dead process holds both no longer than its lease', () => {
      expect(most(of((tenant) => tenant.longestIdle))).toBeLessThan(LONGEST_IDLE);
      expect(most(of((tenant) => tenant.longestWait))).toBeLessThan(LONGEST_WAIT);
    });

    it('have shares alike, though one of them has far more waiting', () => {
      expect(Math.min(...history.shares)).toBeGreaterThan(most(history.shares) / 4);
    });
  },
);

describe.each(databases())('the judge of leases on $name', (database) => {
  let limits: LimitsFixture;
  beforeAll(async () => {
    limits = await LimitsFixture.create(database, { queue: QUEUE, limit: LIMIT, ledger: true });
  });
  afterAll(() => limits.close());

  it('finds it when slots are forgotten that are taken', async () => {
    await limits.enqueue(
      'keyed',
      TENANTS.flatMap((tenant) => jobsOf(tenant, 20, () => 500)),
    );
    await limits.start(PROCESSES);
    await waitUntil(async () => (await limits.sql("SELECT id FROM pq_job WHERE state = 'running'")).length > 0);
    for (let times = 0; times < 10; times++) {
      await limits.sql('DELETE FROM pq_slot');
      await pause(200);
    }
    const { tenants } = readHistory(await limits.entries(), LIMIT);
    expect(most(tenants.map(({ mostLeases }) => mostLeases))).toBeGreaterThan(LIMIT);
    expect(most(tenants.map(({ mostHandlers }) => mostHandlers))).toBeGreaterThan(LIMIT);
  }, 120_000);
});

/** How fast is told here, and measured in bench/: a machine that does other things judges nothing. */
describe.each(databases())('the drain with keys on $name', (database) => {
  const JOBS = 3_000;
  let limits: LimitsFixture;
  beforeAll(async () => {
    limits = await LimitsFixture.create(database, { queue: QUEUE, limit: LIMIT, ledger: false });
    await limits.start(PROCESSES);
  }, 90_000);
  afterAll(() => limits.close());

  it.each([0, 20, 50, 100])(
    'ends every job once, as that without does, with jobs of %i ms',
    async (ms) => {
      const payloads = Array.from({ length: JOBS }, (_, n) => ({ tenant: String(TENANTS[n % TENANTS.length]), ms }));
      const free = await limits.drain('free', payloads);
      const keyed = await limits.drain('keyed', payloads);
      console.info(
        `${database.name}: jobs of ${ms} ms, ${keyed.toFixed(0)}/s with keys, ${free.toFixed(0)}/s without: ${(keyed / free).toFixed(2)}`,
      );
      expect(await limits.waiting()).toEqual(new Map());
    },
    240_000,
  );
});
