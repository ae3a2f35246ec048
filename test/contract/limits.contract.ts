import { describe, expect, it } from '@jest/globals';
import type { ClaimedJob } from '../../lib/job/job.js';
import type { JobLimits } from '../../lib/job/job-limits.js';
import type { JobHandlerOptions } from '../../lib/options/handler-options.js';
import type { ClaimAnswer, ClaimRequest } from '../../lib/repository/job-repository.js';
import { delivery, retry, success, type QueueFixture } from '../support/queue-fixture.js';
import { waitUntil } from '../support/wait-until.js';
import type { ContractContext } from './contract-context.js';

const NOWHERE: JobLimits = { concurrency: undefined, key: undefined, rate: undefined };
const tenantOf = ({ tenant }: { tenant?: string }) => tenant;
const perTenant = (limit: number, more: Partial<JobLimits> = {}): Partial<ClaimRequest> => ({
  limits: { ...NOWHERE, key: { from: tenantOf, limit }, ...more },
});
const atOnce = (concurrency: number): Partial<ClaimRequest> => ({ limits: { ...NOWHERE, concurrency } });
const rate = (max: number, per: number): Partial<ClaimRequest> => ({ limits: { ...NOWHERE, rate: { max, per } } });
const both = (most: number) => perTenant(most, { concurrency: most, rate: { max: most, per: 60_000 } });

const ofTenant = (jobs: readonly ClaimedJob[], tenant: string) =>
  jobs.filter((job) => tenantOfJob(job) === tenant).length;
const sorted = (names: readonly (string | undefined)[]) => names.toSorted((a, b) => String(a).localeCompare(String(b)));

/** What enqueues knows the key. */
const KNOWN: { handlers: Record<string, JobHandlerOptions> } = {
  handlers: { t: { concurrencyKey: { from: tenantOf, limit: 1 } } },
};

export function limitsContract(context: ContractContext): void {
  const { concurrentWriters, sql } = context.database.capabilities;
  const itAgainstOthers = concurrentWriters && sql ? it : it.skip;

  describe('a type with a limit for the whole cluster', () => {
    it('has no more running jobs than that, whatever is asked for', async () => {
      const fixture = await context.open();
      await enqueue(fixture, 10);
      const [one, two] = [await fixture.registerNode('one'), await fixture.registerNode('two')];
      const first = await fixture.ask(one, 't', atOnce(3));
      expect(first).toMatchObject({ left: 'held back', freeIn: undefined });
      expect(first.jobs).toHaveLength(3);
      expect(await fixture.ask(two, 't', atOnce(3))).toEqual({ jobs: [], left: 'held back', freeIn: undefined });
      await fixture.repository.settle(
        first.jobs.slice(0, 2).map((job) => success(job)),
        'one',
      );
      expect(await fixture.claim(two, 't', atOnce(3))).toHaveLength(2);
      expect(await fixture.claim(one, 't', atOnce(3))).toHaveLength(0);
    });

    it('is asked for no more than the claimer has room for', async () => {
      const fixture = await context.open();
      await enqueue(fixture, 5);
      const node = await fixture.registerNode();
      expect(await fixture.ask(node, 't', { ...atOnce(4), limit: 2 })).toMatchObject({ left: 'some' });
      expect(await fixture.claim(node, 't', { ...atOnce(4), limit: 5 })).toHaveLength(2);
    });

    it('has its best priorities first, whichever is asked for', async () => {
      const fixture = await context.open();
      for (const priority of [0, 9, 4]) await fixture.queue.enqueue('t', null, { priority });
      const node = await fixture.registerNode();
      const order: number[] = [];
      for (let at = 0; at < 3; at++) {
        const job = await fixture.claimOne(node, 't', atOnce(1));
        order.push(job.priority);
        await fixture.repository.settle([success(job)], 'test');
      }
      expect(order).toEqual([9, 4, 0]);
      expect(await fixture.ask(node, 't', atOnce(1))).toMatchObject({ jobs: [], left: 'none' });
    });

    it.each<[string, (fixture: QueueFixture, job: ClaimedJob) => Promise<unknown>]>([
      ['succeeds', (fixture, job) => fixture.repository.settle([success(job)], 'test')],
      ['fails for good', (fixture, job) => fixture.repository.settle([{ ...success(job), state: 'failed' }], 'test')],
      ['is tried again later', (fixture, job) => fixture.repository.settle([retry(job, 60_000)], 'test')],
      ['is handed over', (fixture, job) => fixture.repository.settle([delivery(job, 60_000)], 'test')],
      ['is cancelled', (fixture, job) => fixture.repository.change(job.id, 'cancel')],
      ['is acknowledged', (fixture, job) => fixture.queue.finish(job.id)],
    ])('has room again when one %s', async (_, end) => {
      const fixture = await context.open();
      await enqueue(fixture, 2);
      const node = await fixture.registerNode();
      const job = await fixture.claimOne(node, 't', { ...atOnce(1), manual: MANUAL });
      expect(await fixture.claim(node, 't', atOnce(1))).toEqual([]);
      await end(fixture, job);
      expect((await fixture.claimOne(node, 't', atOnce(1))).id).not.toBe(job.id);
    });

    it('has room again when the jobs of a dead node have been rescued, and not before', async () => {
      const fixture = await context.open();
      await enqueue(fixture, 1);
      const job = await fixture.claimOne(await fixture.registerNode('dead'), 't', atOnce(1));
      await fixture.silence();
      const node = await fixture.registerNode();
      expect(await fixture.ask(node, 't', atOnce(1))).toMatchObject({ jobs: [] });
      await enqueue(fixture, 1);
      expect(await fixture.ask(node, 't', atOnce(1))).toMatchObject({ jobs: [], left: 'held back' });
      await fixture.repository.rescue(10);
      expect((await fixture.claimOne(node, 't', atOnce(1))).id).toBe(job.id);
    });

    it('is never given more than that by 8 claimers at once, and gets along', async () => {
      const most = await hammer(context, { jobs: 120, limits: atOnce(4) });
      expect(most.ended).toBe(120);
      expect(most.mostAtOnce).toBeLessThanOrEqual(4);
    });

    itAgainstOthers.each([
      ['of the type', atOnce(1)],
      ['of a key', perTenant(1)],
    ])('%s is tried again soon, when somebody else was about to take the slot', async (_, limits) => {
      const fixture = await context.open();
      await enqueue(fixture, 2);
      const node = await fixture.registerNode();
      await fixture.repository.settle([success(await fixture.claimOne(node, 't', limits))], 'test');
      await fixture.dataSource.transaction(async (other) => {
        await other.query(`SELECT * FROM pq_slot WHERE service = '${fixture.service}' FOR UPDATE`);
        const { jobs, left, freeIn } = await fixture.ask(node, 't', limits);
        expect([jobs, left]).toEqual([[], 'held back']);
        expect(freeIn).toBeGreaterThan(0);
        expect(freeIn).toBeLessThan(100);
      });
      expect(await fixture.claim(node, 't', limits)).toHaveLength(1);
    });

    it('that is lowered waits until enough have ended', async () => {
      const fixture = await context.open();
      await enqueue(fixture, 6);
      const node = await fixture.registerNode();
      const jobs = await fixture.claim(node, 't', atOnce(4));
      expect(await fixture.claim(node, 't', atOnce(2))).toHaveLength(0);
      await fixture.repository.settle(
        jobs.map((job) => success(job)),
        'test',
      );
      expect(await fixture.claim(node, 't', atOnce(2))).toHaveLength(2);
    });
  });

  describe('a lowered limit', () => {
    it.each([
      ['of the type', atOnce(6), atOnce(3)],
      ['of a key', perTenant(6), perTenant(3)],
      ['of a rate', rate(6, 60_000), rate(3, 60_000)],
      ['of all three', both(6), both(3)],
    ])('%s counts what runs in slots above it', async (_, before, after) => {
      const fixture = await context.open();
      const node = await fixture.registerNode();
      await enqueue(fixture, 6, 'a');
      const jobs: ClaimedJob[] = [];
      for (let at = 0; at < 6; at++) jobs.push(await fixture.claimOne(node, 't', { ...before, limit: 1 }));
      const end = async (ended: readonly ClaimedJob[]) => {
        await fixture.repository.settle(
          ended.map((job) => success(job)),
          'test',
        );
      };
      await enqueue(fixture, 10, 'a');
      for (const job of jobs.slice(0, 3)) {
        await end([job]);
        expect(await fixture.ask(node, 't', after)).toMatchObject({ jobs: [], left: 'held back' });
      }
      if (after.limits?.rate !== undefined) return;
      for (const job of jobs.slice(3)) {
        await end([job]);
        expect(await fixture.claim(node, 't', after)).toHaveLength(1);
      }
    });
  });

  describe('a type with concurrency keys', () => {
    it('has no more running jobs of one key than its limit, and as many of each other', async () => {
      const fixture = await context.open(KNOWN);
      await enqueue(fixture, 5, 'a');
      await enqueue(fixture, 1, 'b');
      await enqueue(fixture, 5, undefined);
      const node = await fixture.registerNode();
      const { jobs, left } = await fixture.ask(node, 't', perTenant(2));
      expect(tenants(jobs)).toEqual(['a', 'a', 'b', undefined, undefined]);
      expect(left).not.toBe('none');
      expect(await fixture.ask(node, 't', perTenant(2))).toMatchObject({ jobs: [], left: 'held back' });
      const ended = jobs.filter((job) => tenantOfJob(job) === 'a').slice(1);
      await fixture.repository.settle(
        ended.map((job) => success(job)),
        'test',
      );
      expect(tenants(await fixture.claim(node, 't', perTenant(2)))).toEqual(['a']);
      await fixture.queue.enqueue('t', { tenant: 'c' });
      expect(tenants(await fixture.claim(node, 't', perTenant(2)))).toEqual(['c']);
    });

    it('has of each key its best priority first, then the oldest', async () => {
      const fixture = await context.open(KNOWN);
      for (const [tenant, priority] of [
        ['a', 0],
        ['a', 5],
        ['b', 1],
        ['b', 0],
      ] as const)
        await fixture.queue.enqueue('t', { tenant }, { priority });
      const jobs = await fixture.claim(await fixture.registerNode(), 't', perTenant(1));
      expect(jobs.map(({ priority }) => priority)).toEqual(expect.arrayContaining([1, 5]));
    });

    it.each([
      ['each look is a new one', false],
      ['the keys are known', true],
    ])('goes round its keys, so that none of them starves behind the backlogs of others, when %s', async (_, again) => {
      const fixture = await context.open(KNOWN);
      for (const tenant of ['a', 'b', 'c', 'd', 'e']) await enqueue(fixture, 20, tenant);
      const node = await fixture.registerNode();
      const seen: (string | undefined)[] = [];
      for (let at = 0; at < 20; at++) {
        const job = await fixture.claimOne(node, 't', { ...perTenant(10), limit: 1, again });
        seen.push(...tenants([job]));
        await fixture.repository.settle([success(job)], 'test');
      }
      for (let lap = 0; lap < 20; lap += 5) expect(new Set(seen.slice(lap, lap + 5)).size).toBe(5);
    });

    it.each([
      ['a lower limit of a key', perTenant(1), { a: 1, b: 1 }],
      ['a new limit of the type', perTenant(3, { concurrency: 3 }), { all: 3 }],
      ['a lower limit of both', perTenant(2, { concurrency: 2 }), { all: 2 }],
    ])('has %s after jobs that have ended under other limits', async (_, after, most) => {
      const fixture = await context.open(KNOWN);
      for (const tenant of ['a', 'b']) await enqueue(fixture, 20, tenant);
      const node = await fixture.registerNode();
      const before = [...(await fixture.claim(node, 't', perTenant(3)))];
      expect(before).toHaveLength(6);
      await fixture.repository.settle(
        before.map((job) => success(job)),
        'test',
      );
      const running: ClaimedJob[] = [];
      for (let times = 0; times < 6; times++)
        running.push(...(await fixture.claim(node, 't', { ...after, limit: 2, again: true })));
      const count = { all: running.length, a: ofTenant(running, 'a'), b: ofTenant(running, 'b') };
      expect(count).toMatchObject(most);
    });

    it('has the slot of a key that has no more jobs used by another one at once', async () => {
      const fixture = await context.open(KNOWN);
      const limits = perTenant(1, { concurrency: 2 });
      for (const tenant of ['a', 'b']) await enqueue(fixture, tenant === 'a' ? 3 : 1, tenant);
      const node = await fixture.registerNode();
      const first = await fixture.claim(node, 't', limits);
      expect(sorted(tenants(first))).toEqual(['a', 'b']);
      await enqueue(fixture, 1, 'c');
      await fixture.repository.settle(
        first.map((job) => success(job)),
        'test',
      );
      const jobs: ClaimedJob[] = [];
      for (let left = 'some'; left === 'some';) {
        const answer = await fixture.ask(node, 't', { ...limits, again: false });
        jobs.push(...answer.jobs);
        left = answer.left;
      }
      expect(sorted(tenants(jobs))).toEqual(['a', 'c']);
    });

    it('gives each key its turn, though slots go from job to job of one key in between', async () => {
      const fixture = await context.open(KNOWN);
      for (const tenant of ['a', 'b']) await enqueue(fixture, 500, tenant);
      const node = await fixture.registerNode();
      const seen = new Set<string | undefined>();
      await waitUntil(async () => {
        const job = await fixture.claimOne(node, 't', { ...perTenant(1), limit: 1, again: true });
        for (const tenant of tenants([job])) seen.add(tenant);
        await fixture.repository.settle([success(job)], 'test');
        return seen.size === 2;
      });
    });

    it('finds a better priority soon, though slots go from job to job', async () => {
      const fixture = await context.open(KNOWN);
      await enqueue(fixture, 500, 'a');
      const node = await fixture.registerNode();
      const first = await fixture.claimOne(node, 't', perTenant(1));
      await fixture.queue.enqueue('t', { tenant: 'a' }, { priority: 5 });
      await fixture.repository.settle([success(first)], 'test');
      await waitUntil(async () => {
        const job = await fixture.claimOne(node, 't', { ...perTenant(1), again: true });
        await fixture.repository.settle([success(job)], 'test');
        return job.priority === 5;
      });
    });

    it('hands a slot over once, and only to a job of its own key', async () => {
      const fixture = await context.open(KNOWN);
      for (const tenant of ['a', 'b', 'c']) await enqueue(fixture, 4, tenant);
      const node = await fixture.registerNode();
      const running = [...(await fixture.claim(node, 't', perTenant(2)))];
      expect(sorted(tenants(running))).toEqual(['a', 'a', 'b', 'b', 'c', 'c']);
      const ended = running.filter((job) => tenantOfJob(job) !== 'b').slice(0, 3);
      await fixture.repository.settle(
        ended.map((job) => success(job)),
        'test',
      );
      const again = await Promise.all(
        Array.from({ length: 4 }, () => fixture.claim(node, 't', { ...perTenant(2), again: true })),
      );
      expect(sorted(tenants(again.flat()))).toEqual(sorted(tenants(ended)));
    });

    it('finds the one key of many that has room', async () => {
      const fixture = await context.open(KNOWN);
      const all = Array.from({ length: 250 }, (_, n) => `tenant ${String(n).padStart(3, '0')}`);
      await fixture.queue.enqueueMany(
        't',
        [...all, ...all].map((tenant) => ({ payload: { tenant } })),
      );
      const node = await fixture.registerNode();
      const running: ClaimedJob[] = [];
      await waitUntil(async () => {
        running.push(...(await fixture.claim(node, 't', { ...perTenant(1), limit: 500 })));
        return running.length === 250;
      });
      expect(await fixture.ask(node, 't', perTenant(1))).toMatchObject({ jobs: [], left: 'held back' });
      for (const at of [0, 249, 120]) {
        const one = running.find(({ payload }) => payload?.includes(all[at] ?? ''));
        if (one !== undefined) await fixture.repository.settle([success(one)], 'test');
        expect(tenants(await fixture.claim(node, 't', perTenant(1)))).toEqual([all[at]]);
      }
    });

    it('files what was stored without a key, under the one of its payload', async () => {
      const fixture = await context.open();
      for (const tenant of ['a', 'a', 'b', undefined]) await fixture.queue.enqueue('t', { tenant });
      await fixture.queue.enqueue('t', null);
      const node = await fixture.registerNode();
      const { jobs } = await fixture.ask(node, 't', perTenant(1));
      expect(tenants(jobs)).toEqual(['a', 'b', undefined]);
      expect(await fixture.ask(node, 't', perTenant(1))).toMatchObject({ jobs: [], left: 'held back' });
    });

    it('files as much as it takes to find a key that is not held back', async () => {
      const fixture = await context.open();
      await enqueue(fixture, 700, 'a');
      await enqueue(fixture, 1, 'b');
      const node = await fixture.registerNode();
      expect(tenants(await fixture.claim(node, 't', perTenant(1)))).toContain('a');
      expect(tenants(await fixture.claim(node, 't', perTenant(1)))).toEqual(['b']);
    });

    context.itWithSql('files what plain SQL has written, be it no JSON, and never loses it', async () => {
      const fixture = await context.open();
      const row = 'INSERT INTO pq_job (service, type, payload) VALUES (?, ?, ?)';
      for (const payload of ['{"tenant":"a"}', '{"tenant":["no key"]}', 'no JSON', null])
        await fixture.sql(row, [fixture.service, 't', payload]);
      const node = await fixture.registerNode();
      expect(await fixture.claim(node, 't', perTenant(3))).toHaveLength(4);
      expect(await keysOf(fixture)).toEqual([' ', ' ', ' ', 'a']);
    });

    it('is ready for its claim whatever its keys are', async () => {
      const fixture = await context.open(KNOWN);
      await enqueue(fixture, 1, 'a');
      const ask = { types: ['t', 'u'], sweep: false };
      expect((await fixture.repository.survey({ ...ask, keyed: ['t'] })).ready).toEqual([{ type: 't', priority: 0 }]);
      expect((await fixture.repository.survey({ ...ask, keyed: ['u'] })).ready).toEqual([]);
    });

    it('that has none any more has its jobs back', async () => {
      const fixture = await context.open(KNOWN);
      await enqueue(fixture, 3, 'a');
      const ask = { types: ['t', 'u'], sweep: false, misfiled: true };
      expect((await fixture.repository.survey({ ...ask, keyed: ['t'] })).misfiled).toEqual([]);
      expect((await fixture.repository.survey(ask)).misfiled).toEqual(['t']);
      expect(await fixture.repository.unfile('t', 2)).toBe(2);
      expect(await fixture.repository.unfile('t', 2)).toBe(1);
      expect((await fixture.repository.survey(ask)).misfiled).toEqual([]);
      expect(await fixture.claim(await fixture.registerNode(), 't')).toHaveLength(3);
    });

    it('never has more of one key than its limit with 8 claimers at once, and gets along', async () => {
      const most = await hammer(context, { jobs: 160, keys: 7, limits: perTenant(2) });
      expect(most.ended).toBe(160);
      expect(most.mostOfKey).toBeLessThanOrEqual(2);
    });

    it('and a limit for all has both', async () => {
      const most = await hammer(context, { jobs: 80, keys: 7, limits: perTenant(2, { concurrency: 5 }) });
      expect(most.ended).toBe(80);
      expect(most.mostAtOnce).toBeLessThanOrEqual(5);
      expect(most.mostOfKey).toBeLessThanOrEqual(2);
    });

    context.itWithSql(
      'forgets slots of keys that nobody has used for an hour, but for those of running jobs',
      async () => {
        const fixture = await context.open(KNOWN);
        for (const tenant of ['a', 'b', 'c']) await enqueue(fixture, 2, tenant);
        const node = await fixture.registerNode();
        const jobs = await fixture.claim(node, 't', perTenant(1));
        await fixture.repository.settle(
          jobs.filter((job) => tenants([job])[0] !== 'a').map((job) => success(job)),
          'test',
        );
        await fixture.sql("UPDATE pq_slot SET taken_at = taken_at - 3700000 WHERE service = ? AND slot_key <> 'c'", [
          fixture.service,
        ]);
        await fixture.repository.prune(100);
        const left = await fixture.sql<{ slot_key: unknown }>('SELECT slot_key FROM pq_slot WHERE service = ?', [
          fixture.service,
        ]);
        expect(left.map(({ slot_key: key }) => String(key)).sort()).toEqual(['a', 'c']);
        const again = () => fixture.claim(node, 't', perTenant(1));
        expect(sorted(tenants([...(await again()), ...(await again())]))).toEqual(['b', 'c']);
      },
    );
  });

  describe('a type with a rate', () => {
    it('begins no more than that in its time, and says when the next may', async () => {
      const fixture = await context.open();
      await enqueue(fixture, 6);
      const node = await fixture.registerNode();
      const began = performance.now();
      const first = await fixture.ask(node, 't', rate(2, 300));
      expect(first).toMatchObject({ left: 'held back', freeIn: 300 });
      expect(first.jobs).toHaveLength(2);
      await fixture.repository.settle(
        first.jobs.map((job) => success(job)),
        'test',
      );
      const { freeIn } = await fixture.ask(node, 't', rate(2, 300));
      expect(freeIn).toBeGreaterThan(0);
      expect(freeIn).toBeLessThanOrEqual(300);
      await waitUntil(async () => (await fixture.claim(node, 't', rate(2, 300))).length > 0);
      // The clock of the database is the one that counts, in whole milliseconds.
      expect(performance.now() - began).toBeGreaterThanOrEqual(298);
    });

    it('counts the starts of all claimers', async () => {
      const most = await hammer(context, { jobs: 20, limits: rate(5, 100) });
      expect(most.ended).toBe(20);
      expect(most.took).toBeGreaterThanOrEqual(298);
    });
  });
}

const MANUAL = { ackTimeout: 60_000, retention: { succeeded: 60_000, failed: 60_000 } };

async function enqueue({ queue }: QueueFixture, count: number, tenant?: string): Promise<void> {
  await queue.enqueueMany(
    't',
    Array.from({ length: count }, () => ({ payload: { tenant } })),
  );
}

function tenants(jobs: readonly ClaimedJob[]): (string | undefined)[] {
  return jobs.map(tenantOfJob).sort((a, b) => ((a ?? '~') < (b ?? '~') ? -1 : 1));
}

function tenantOfJob({ payload }: ClaimedJob): string | undefined {
  return (JSON.parse(payload ?? 'null') as { tenant?: string } | null)?.tenant;
}

async function keysOf(fixture: QueueFixture): Promise<string[]> {
  const rows = await fixture.sql<{ concurrency_key: unknown }>('SELECT concurrency_key FROM pq_job WHERE service = ?', [
    fixture.service,
  ]);
  return rows.map(({ concurrency_key: key }) => String(key)).sort();
}

/** Eight nodes that claim, run for a moment and settle, as fast as they can; counted is what runs between a claim's answer and its end. */
async function hammer(context: ContractContext, { jobs, keys = 1, limits }: Hammering) {
  const options = limits.limits?.key === undefined ? {} : KNOWN;
  const first = await context.open(options);
  const others = Array.from({ length: 7 }, () => context.open({ ...options, serviceName: first.service }));
  const payloads = Array.from({ length: jobs }, (_, n) => ({ payload: { tenant: `k${n % keys}` } }));
  await first.queue.enqueueMany('t', payloads);
  const running = new Map<string, number>();
  const count = { ended: 0, mostAtOnce: 0, mostOfKey: 0 };
  const add = (job: ClaimedJob, change: number) => {
    const key = tenantOfJob(job) ?? '';
    running.set(key, (running.get(key) ?? 0) + change);
    const all = [...running.values()];
    count.mostAtOnce = Math.max(
      count.mostAtOnce,
      all.reduce((sum, of) => sum + of, 0),
    );
    count.mostOfKey = Math.max(count.mostOfKey, ...all);
  };
  const began = performance.now();
  const work = async (claimer: QueueFixture, name: string) => {
    const node = await claimer.registerNode(name);
    while (count.ended < jobs) {
      const { jobs: claimed }: ClaimAnswer = await claimer.ask(node, 't', { ...limits, limit: 5 });
      for (const job of claimed) add(job, 1);
      await new Promise((resolve) => setTimeout(resolve, 1));
      // From here on they may be over: what is counted is never more than what runs.
      for (const job of claimed) add(job, -1);
      if (claimed.length > 0)
        await claimer.repository.settle(
          claimed.map((job) => success(job)),
          name,
        );
      count.ended += claimed.length;
    }
  };
  await Promise.all([first, ...(await Promise.all(others))].map((claimer, n) => work(claimer, `claimer ${n}`)));
  return { ...count, ...(limits.limits?.rate && { took: performance.now() - began }) };
}

interface Hammering {
  readonly jobs: number;
  readonly keys?: number;
  readonly limits: Partial<ClaimRequest>;
}
