import { describe, expect, it, jest } from '@jest/globals';
import type { JobContext } from '../../lib/job/job-context.js';
import { handler } from '../support/app-fixture.js';
import { databases } from '../support/databases.js';
import { countIn, NodesOn, numbered } from '../support/nodes-on.js';
import { waitUntil } from '../support/wait-until.js';

const DAY = 86_400_000;
/** More than fits into the memory of the queues that load what is not due yet. */
const FAR = 60_000;

/** Ways in which other queues have lost or doubled a job before it ran: docs/seed-defects.md. */
describe.each(databases())('jobs that wait on $name', (database) => {
  const nodes = new NodesOn(database);

  it('for their time are run once each and never before it, while other jobs keep the node busy', async () => {
    const ran: { id: string; early: number }[] = [];
    const later = (_: never, { id, dueAt }: JobContext) => ran.push({ id, early: dueAt.getTime() - Date.now() });
    const app = await nodes.start({ providers: [handler('later', later), handler('now', () => undefined)] });
    const due = await app.queue.enqueueMany(
      'later',
      numbered(5).map(({ payload }) => ({ payload, delay: 300 * (payload + 1) })),
    );
    const busy = async () => {
      await app.queue.enqueueMany('now', numbered(20));
      return (await countIn(app, 'scheduled')) === 0;
    };
    await waitUntil(busy);
    await waitUntil(async () => (await countIn(app, 'waiting')) + (await countIn(app, 'running')) === 0);
    expect(ran.map(({ id }) => id).toSorted()).toEqual(due.map(({ id }) => id).toSorted());
    // The server of the tests has the clock of this machine, to the millisecond.
    expect(Math.max(...ran.map(({ early }) => early))).toBeLessThanOrEqual(1);
  });

  it('are run however long ago they were enqueued or became due', async () => {
    const app = await nodes.start({ providers: [handler('old', () => 'ran')], queue: { autoStart: false } });
    const old = [await app.queue.enqueue('old'), await app.queue.enqueue('old', null, { delay: '1h' })];
    await nodes.sql(app, `UPDATE pq_job SET ${earlier(400 * DAY)} WHERE service = '${nodes.service}'`);
    const young = await app.queue.enqueue('old');
    await app.start();
    for (const { id } of [young, ...old]) expect((await app.waitFor(id, 'succeeded')).result).toBe('ran');
  });

  it('are run whatever gaps are between their ids, and whichever id comes later', async () => {
    const seen: number[] = [];
    const app = await nodes.start({ providers: [handler('gap', (n: number) => seen.push(n))] });
    const base = 5_000_000_000;
    for (const [n, id] of [base, base + 3_000_000_000, base + 1_000, base - 1_000_000_000].entries()) {
      await nodes.sql(
        app,
        `INSERT INTO pq_job (id, service, type, payload) VALUES (${id}, '${nodes.service}', 'gap', '${n}')`,
      );
      await waitUntil(() => seen.includes(n), { describe: `job ${n} with id ${id}` });
    }
    expect(seen).toEqual([0, 1, 2, 3]);
  });

  it('start at once where they are enqueued, however seldom the database is asked', async () => {
    const queue = { poll: { min: '1h', max: '1h' }, lease: { duration: '10s', beat: '5s', thread: false } } as const;
    const app = await nodes.start({ providers: [handler('now', () => performance.now())], queue });
    for (let n = 0; n < 5; n++) {
      const enqueued = performance.now();
      const { id } = await app.queue.enqueue('now');
      const { result } = await app.waitFor(id, 'succeeded');
      expect(Number(result) - enqueued).toBeLessThan(1_000);
    }
  });

  it(`are not held up by ${FAR} others that are due in a year`, async () => {
    const app = await nodes.start({ providers: [handler('far', (n) => n)] });
    await app.queue.enqueueMany(
      'far',
      numbered(1_000).map((job) => ({ ...job, delay: '365d' })),
    );
    for (let count = 1_000; count < FAR; count *= 2) {
      await nodes.sql(
        app,
        `INSERT INTO pq_job (service, type, payload, state, due) SELECT service, type, payload, state, due FROM pq_job WHERE service = '${nodes.service}' AND state = 'scheduled'`,
      );
    }
    expect(await countIn(app, 'scheduled')).toBeGreaterThan(FAR);
    const { id } = await app.queue.enqueue('far', 'now');
    const { createdAt } = await app.waitFor(id, 'succeeded');
    const [attempt] = await app.queue.history(id);
    expect(Number(attempt?.startedAt) - Number(createdAt)).toBeLessThan(2_000);
  });

  it('are none in empty tables, which is no error; the first one runs', async () => {
    const app = await nodes.start({ providers: [handler('first', () => 'ran')], queue: { autoStart: false } });
    const errors: unknown[] = [];
    app.queue.events$.subscribe((event) => event.name === 'database.error' && errors.push(event));
    await nodes.sql(app, 'DELETE FROM pq_job');
    await app.start();
    const { id } = await app.queue.enqueue('first');
    await app.waitFor(id, 'succeeded');
    expect(errors).toEqual([]);
  });

  it('of a type that nobody handles are run as soon as somebody does', async () => {
    const before = await nodes.start({ providers: [handler('other', () => undefined)] });
    const { id } = await before.queue.enqueue('new');
    await before.waitFor((await before.queue.enqueue('other')).id, 'succeeded');
    expect(await before.queue.get(id)).toMatchObject({ state: 'waiting', fence: 0 });
    await nodes.start({ providers: [handler('new', () => 'ran')] });
    expect(await before.waitFor(id, 'succeeded')).toMatchObject({ result: 'ran', retries: 0 });
  });

  it('for a time that is further away than their deadline are run then: the deadline counts from their due time', async () => {
    const app = await nodes.start({ providers: [handler('soon', () => 'ran', { deadline: '1m' })] });
    const { id } = await app.queue.enqueue('soon', null, { delay: '4d' });
    await nodes.sql(app, `UPDATE pq_job SET ${earlier(4 * DAY)} WHERE id = ${id}`);
    expect((await app.waitFor(id, 'succeeded', 'failed')).state).toBe('succeeded');
  });

  it('past their deadline all fail as expired, however many and how long ago; those of others are left alone', async () => {
    const app = await nodes.start({ providers: [handler('late', () => 'ran')], queue: { autoStart: false } });
    const theirs = await nodes.start({ queue: { serviceName: `${nodes.service}-other`, roles: ['enqueue'] } });
    const times = numbered(300).map(({ payload }) => ({ payload, deadline: new Date(Date.now() - payload * DAY - 1) }));
    const jobs = await app.queue.enqueueMany('late', times);
    const [other] = await theirs.queue.enqueueMany('late', times.slice(-1));
    await app.start();
    await waitUntil(async () => (await countIn(app, 'failed')) === jobs.length);
    for (const { id } of [jobs[0], jobs.at(-1)] as { id: string }[])
      expect(await app.queue.history(id)).toMatchObject([{ outcome: 'failed', reason: 'expired' }]);
    expect((await theirs.queue.get(other?.id ?? ''))?.state).toBe('waiting');
  });

  it.each([-DAY, DAY])('are due by the database’s clock, with one of the process that is %d ms off', async (off) => {
    const app = await nodes.start({ providers: [handler('t', () => 'ran')] });
    jest.useFakeTimers({ now: Date.now() + off, doNotFake: EVERYTHING_ELSE });
    try {
      const later = await app.queue.enqueue('t', null, { delay: '1h' });
      const now = await app.queue.enqueue('t');
      expect((await app.waitFor(now.id, 'succeeded')).result).toBe('ran');
      expect((await app.queue.get(later.id))?.state).toBe('scheduled');
    } finally {
      jest.useRealTimers();
    }
  });

  if (database.capabilities.concurrentWriters) {
    it('in a transaction that ends after many later jobs have run are run too, however long it was open', async () => {
      const seen: unknown[] = [];
      const app = await nodes.start({ providers: [handler('t', (payload) => seen.push(payload))] });
      const runner = app.dataSource.createQueryRunner();
      await runner.startTransaction();
      const early = await app.queue.enqueue('t', 'early', { manager: runner });
      // As if it had been open for an hour.
      await runner.query(`UPDATE pq_job SET ${earlier(DAY / 24)} WHERE id = ${early.id}`);
      const others = await app.queue.enqueueMany('t', numbered(50));
      await waitUntil(() => seen.length === 50);
      expect(Math.min(...others.map(({ id }) => Number(id)))).toBeGreaterThan(Number(early.id));
      await runner.commitTransaction();
      await runner.release();
      await app.waitFor(early.id, 'succeeded');
      expect(seen.at(-1)).toBe('early');
    });
  }
});

const earlier = (ms: number) => `due = due - ${ms}, created_at = created_at - ${ms}`;

/** Only `Date` is not real. */
const EVERYTHING_ELSE = [
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
  'setInterval',
  'clearInterval',
  'setTimeout',
  'clearTimeout',
] as const satisfies readonly string[] as never;
