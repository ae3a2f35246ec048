import { describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { handler } from '../support/app-fixture.js';
import { databases } from '../support/databases.js';
import { countIn, NodesOn, numbered } from '../support/nodes-on.js';
import { deferred, waitUntil } from '../support/wait-until.js';

/** Ways in which other queues have stood still or run wild: docs/seed-defects.md. */
describe.each(databases())('the slots of a node on $name', (database) => {
  const nodes = new NodesOn(database);

  it('are not held up by a job that takes long: the others run, and their ends are in the database meanwhile', async () => {
    const gate = deferred();
    const work = (payload: unknown) => (payload === 'long' ? gate.promise : undefined);
    const app = await nodes.start({ providers: [handler('t', work, { concurrency: 2 })] });
    const long = await app.queue.enqueue('t', 'long');
    await app.waitFor(long.id, 'running');
    await app.queue.enqueueMany('t', numbered(50));
    await waitUntil(async () => (await countIn(app, 'succeeded')) === 50, { timeout: 5_000 });
    expect((await app.queue.get(long.id))?.state).toBe('running');
    gate.resolve();
    await app.waitFor(long.id, 'succeeded');
  });

  it('are free again whatever a handler throws: more throw than there are slots', async () => {
    const work = (n: number) => {
      if (n % 2) throw new Error('at once');
      return n < 30 ? Promise.reject(new Error('later')) : undefined;
    };
    const app = await nodes.start({ providers: [handler('t', work, { concurrency: 3, maxRetries: 0 })] });
    await app.queue.enqueueMany('t', numbered(40));
    await waitUntil(async () => (await countIn(app, 'failed')) + (await countIn(app, 'succeeded')) === 40);
    expect(await countIn(app, 'succeeded')).toBe(5);
  });

  it('are never more than concurrency says, of a type and of the process, and all are used', async () => {
    const running = { a: 0, b: 0 };
    const most = { a: 0, b: 0, all: 0 };
    const work = (type: 'a' | 'b') => async () => {
      running[type]++;
      most[type] = Math.max(most[type], running[type]);
      most.all = Math.max(most.all, running.a + running.b);
      await pause(5);
      running[type]--;
    };
    const providers = [handler('a', work('a'), { concurrency: 3 }), handler('b', work('b'))];
    const app = await nodes.start({ providers, queue: { concurrency: 5 } });
    await app.queue.enqueueMany('a', numbered(60));
    await app.queue.enqueueMany('b', numbered(60));
    await waitUntil(async () => (await countIn(app, 'succeeded')) === 120);
    expect(most).toMatchObject({ a: 3, all: 5 });
  });

  it('may be waited for through several leases: each job is run once', async () => {
    const ran = new Map<string, number>();
    const work = async (_: never, { id }: { id: string }) => {
      ran.set(id, (ran.get(id) ?? 0) + 1);
      await pause(100);
    };
    const queue = { lease: { duration: 500, beat: 100, thread: false } };
    const start = () => nodes.start({ providers: [handler('t', work, { concurrency: 1 })], queue });
    const [app] = await Promise.all([start(), start()]);
    const jobs = await app.queue.enqueueMany('t', numbered(40));
    await waitUntil(async () => (await countIn(app, 'succeeded')) === 40);
    expect([...ran.values()]).toEqual(jobs.map(() => 1));
    for (const { id } of jobs) expect(await app.queue.history(id)).toHaveLength(1);
  });
});
