import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, jest } from '@jest/globals';
import type { JobContext } from '../../lib/job/job-context.js';
import { JobRepository } from '../../lib/repository/job-repository.js';
import { handler, type AppFixture } from '../support/app-fixture.js';
import { databases } from '../support/databases.js';
import { countIn, NodesOn, numbered } from '../support/nodes-on.js';
import { deferred, waitUntil } from '../support/wait-until.js';

const tenantOf = ({ tenant }: { tenant?: string }) => tenant;

/** Counts what runs, of each key and in all. */
class Running {
  readonly most = new Map<string, number>();
  private readonly now = new Map<string, number>();

  readonly work = async ({ tenant = '' }: { tenant?: string }): Promise<void> => {
    this.add(tenant, 1);
    this.add('all', 1);
    await pause(5);
    this.add(tenant, -1);
    this.add('all', -1);
  };

  private add(key: string, change: number): void {
    const now = (this.now.get(key) ?? 0) + change;
    this.now.set(key, now);
    this.most.set(key, Math.max(this.most.get(key) ?? 0, now));
  }
}

describe.each(databases())('limits across the cluster on $name', (database) => {
  const nodes = new NodesOn(database);
  const done = (app: AppFixture, count: number, timeout = 10_000) =>
    waitUntil(async () => (await countIn(app, 'succeeded')) === count, { timeout });

  it('are kept by two nodes together, and used up', async () => {
    const running = new Running();
    const limits = { globalConcurrency: 5, concurrencyKey: { from: tenantOf, limit: 2 } };
    const start = () => nodes.start({ providers: [handler('t', running.work, limits)] });
    const [app] = await Promise.all([start(), start()]);
    const jobs = Array.from({ length: 90 }, (_, n) => ({ payload: { tenant: `${n % 4}` } }));
    await app.queue.enqueueMany('t', jobs);
    await done(app, 90);
    const { all, ...ofKeys } = Object.fromEntries(running.most);
    expect(all).toBe(5);
    expect(Math.max(...Object.values(ofKeys))).toBe(2);
  });

  it('let a job begin as soon as another one of its key has ended here, and not with the next look', async () => {
    const app = await nodes.start({
      providers: [handler('t', () => undefined, { concurrencyKey: { from: tenantOf, limit: 1 } })],
      queue: { poll: { min: '500ms', max: '2s' } },
    });
    await app.queue.enqueueMany(
      't',
      Array.from({ length: 20 }, () => ({ payload: { tenant: 'a' } })),
    );
    await done(app, 20, 5_000);
  });

  it('let a job begin whose predecessor has ended in a transaction of its handler', async () => {
    const app = await nodes.start({
      providers: [handler('t', () => undefined, { globalConcurrency: 1, transactional: true })],
      queue: { poll: { min: '500ms', max: '2s' } },
    });
    await app.queue.enqueueMany('t', numbered(20));
    await done(app, 20, 5_000);
  });

  it('neither make a node spin for a type that they hold back, nor delay another one', async () => {
    const gate = deferred();
    const app = await nodes.start({
      providers: [handler('held', () => gate.promise, { globalConcurrency: 1 }), handler('other', () => undefined)],
      queue: { poll: { min: 20, max: 400 } },
    });
    await app.queue.enqueueMany('held', numbered(100));
    await waitUntil(async () => (await countIn(app, 'running')) === 1);
    const repository = app.app.get(JobRepository, { strict: false });
    const claim = jest.spyOn(repository, 'claim');
    const survey = jest.spyOn(repository, 'survey');
    await pause(1_000);
    expect(claim.mock.calls.length).toBeLessThanOrEqual(11);
    expect(survey.mock.calls.length).toBeLessThanOrEqual(60);
    const { id } = await app.queue.enqueue('other');
    const began = performance.now();
    await app.waitFor(id, 'succeeded');
    expect(performance.now() - began).toBeLessThan(150);
    // Jobs that come to a type that is held back cost next to nothing too.
    claim.mockClear();
    for (let n = 0; n < 100; n++) await app.queue.enqueue('held', n);
    expect(claim.mock.calls.length).toBeLessThan(50);
    gate.resolve();
    await done(app, 201, 20_000);
  }, 30_000);

  it('let their jobs begin beside a type without limits that would fill all of the process', async () => {
    const app = await nodes.start({
      providers: [
        handler('limited', () => undefined, { globalConcurrency: 2 }),
        handler('other', () => pause(5), { concurrency: 2 }),
      ],
      queue: { concurrency: 2, poll: { min: '20ms', max: '100ms' } },
    });
    await app.queue.enqueueMany('other', numbered(3_000));
    await waitUntil(async () => (await countIn(app, 'succeeded')) > 100);
    const jobs = await app.queue.enqueueMany('limited', numbered(5));
    await Promise.all(jobs.map(({ id }) => app.waitFor(id, 'succeeded')));
    expect(await countIn(app, 'waiting')).toBeGreaterThan(500);
    const ended = await countIn(app, 'succeeded');
    await waitUntil(async () => (await countIn(app, 'succeeded')) > ended + 100);
    await app.close();
  }, 30_000);

  it('reach the rate that they allow, and no more', async () => {
    const starts: number[] = [];
    const app = await nodes.start({
      providers: [handler('t', () => void starts.push(performance.now()), { rateLimit: { max: 1, per: '100ms' } })],
      queue: { poll: { min: '20ms', max: '2s' } },
    });
    await app.queue.enqueueMany('t', numbered(15));
    await done(app, 15);
    const took = (starts.at(-1) ?? 0) - (starts[0] ?? 0);
    // The clock of the database is the one that counts; between claim and start there are some milliseconds more.
    expect(took).toBeGreaterThan(1_350);
    // Whoever looked only as often as an idle node would take half a minute.
    expect(took).toBeLessThan(5_000);
  });

  it('that are lowered while jobs run are kept from then on', async () => {
    const running = new Running();
    const first = await nodes.start({ providers: [handler('t', running.work, { globalConcurrency: 8 })] });
    await first.queue.enqueueMany(
      't',
      Array.from({ length: 60 }, () => ({ payload: {} })),
    );
    await waitUntil(async () => (await countIn(first, 'succeeded')) > 8);
    await first.close();
    const later = new Running();
    const second = await nodes.start({ providers: [handler('t', later.work, { globalConcurrency: 2 })] });
    await done(second, 60);
    expect(later.most.get('all')).toBe(2);
  });

  it('that are gone leave no job behind: those with keys run too', async () => {
    const gate = deferred();
    const keyed = { concurrencyKey: { from: tenantOf, limit: 1 } };
    const first = await nodes.start({ providers: [handler('t', () => gate.promise, keyed)] });
    await first.queue.enqueueMany(
      't',
      Array.from({ length: 30 }, (_, n) => ({ payload: { tenant: `${n % 3}` } })),
    );
    await waitUntil(async () => (await countIn(first, 'running')) === 3);
    gate.resolve();
    await first.close();
    const second = await nodes.start({ providers: [handler('t', () => undefined)] });
    await done(second, 30);
  });

  it('hold for rows of plain SQL, which are filed before they run, and for a `from` that throws', async () => {
    const running = new Running();
    const from = ({ tenant }: { tenant: string }) => tenant.toUpperCase();
    const app = await nodes.start({
      providers: [handler('t', running.work, { concurrencyKey: { from, limit: 2 } })],
    });
    const values = Array.from({ length: 20 }, (_, n) => `('${nodes.service}', 't', '{"tenant":"${n % 2}"}')`);
    const broken = Array.from({ length: 6 }, () => `('${nodes.service}', 't', '{}')`);
    await nodes.sql(app, `INSERT INTO pq_job (service, type, payload) VALUES ${[...values, ...broken].join(', ')}`);
    await done(app, 26);
    expect(Object.fromEntries(running.most)).toMatchObject({ '0': 2, '1': 2, '': 2 });
    await expect(app.queue.enqueue('t', {})).rejects.toThrow(/concurrencyKey\.from throws/);
  });

  it('count a job while it is retried, sleeps in a step or waits for its acknowledgement as none that runs', async () => {
    const work = async (_: unknown, job: JobContext) => {
      if (job.attempt === 1) throw new Error('again');
      await job.sleep('nap', 50);
    };
    const app = await nodes.start({
      providers: [
        handler('t', work, { globalConcurrency: 1, waitTime: 50 }),
        handler('manual', () => undefined, { globalConcurrency: 1, ack: 'manual' }),
      ],
    });
    await app.queue.enqueueMany('t', numbered(6));
    await done(app, 6);
    const manual = await app.queue.enqueueMany('manual', numbered(3));
    await waitUntil(async () => {
      const jobs = await Promise.all(manual.map(({ id }) => app.queue.get(id)));
      return jobs.every((job) => job?.deliveredAt !== undefined);
    });
  });

  it('let a paused type rest, and a cancelled job make room', async () => {
    const gates = [deferred(), deferred()];
    const app = await nodes.start({
      providers: [handler('t', (n: number) => gates[n]?.promise, { globalConcurrency: 1, concurrency: 5 })],
    });
    const [first, second, third] = await app.queue.enqueueMany('t', numbered(3));
    await app.waitFor(first?.id ?? '', 'running');
    await app.queue.pause('t');
    await app.queue.cancel(first?.id ?? '');
    await pause(150);
    expect((await app.queue.get(second?.id ?? ''))?.state).toBe('waiting');
    await app.queue.resume('t');
    await app.waitFor(second?.id ?? '', 'running');
    for (const gate of gates) gate.resolve();
    await app.waitFor(third?.id ?? '', 'succeeded');
  });
});
