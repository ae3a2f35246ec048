import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import type { PersistentQueueOptions } from '../../lib/options/module-options.js';
import { handler, startApp, type AppFixture } from '../support/app-fixture.js';
import { databases, type TestSchema } from '../support/databases.js';
import { deferred, waitUntil, type Deferred } from '../support/wait-until.js';

const SLOTS = 2;
const JOBS = 40;
/** How long a handler takes, in milliseconds, for which nothing may be claimed ahead: that time is what is tested. */
const SLOW = 300;

describe.each(databases())('what has been claimed and waits for a slot on $name', (database) => {
  let schema: TestSchema;
  let services = 0;
  let serviceName: string;
  let gate: Deferred<void>;
  let ran: string[];
  const fixtures: AppFixture[] = [];
  beforeAll(async () => {
    schema = await database.create();
  });
  beforeEach(() => {
    serviceName = `service-${++services}`;
    gate = deferred();
    ran = [];
  });
  afterEach(async () => {
    gate.resolve();
    await Promise.all(fixtures.splice(0).map((fixture) => fixture.close()));
  });
  afterAll(() => schema.drop());

  async function start(work: () => unknown, queue: PersistentQueueOptions = {}): Promise<AppFixture> {
    const noted = async (_: never, { id }: { id: string }) => {
      ran.push(id);
      return work();
    };
    const providers = [handler('t', noted, { concurrency: SLOTS })];
    const fixture = await startApp(schema, { providers, queue: { serviceName, ...queue } });
    fixtures.push(fixture);
    return fixture;
  }

  const enqueue = async ({ queue }: AppFixture, count: number) =>
    (
      await queue.enqueueMany(
        't',
        Array.from({ length: count }, () => ({ payload: null })),
      )
    ).map(({ id }) => id);

  const count = async ({ queue }: AppFixture, state: string) =>
    (await queue.counts()).find((each) => each.state === state)?.count ?? 0;

  /** A node whose handlers were quick, so that it has claimed more than it has slots for; now they wait for the gate. */
  async function startWithFullBuffer(queue: PersistentQueueOptions = {}): Promise<[AppFixture, string[]]> {
    let isOpen = true;
    const fixture = await start(() => (isOpen ? undefined : gate.promise), queue);
    await enqueue(fixture, 100);
    await waitUntil(async () => (await count(fixture, 'succeeded')) === 100);
    isOpen = false;
    ran.length = 0;
    const ids = await enqueue(fixture, JOBS);
    await waitUntil(async () => (await count(fixture, 'running')) === JOBS, { describe: 'all jobs to be claimed' });
    // The database knows of a claim before the process that has asked for it does.
    await waitUntil(() => ran.length === SLOTS, { describe: 'the slots to be taken' });
    return [fixture, ids];
  }

  it('starts in its order as slots become free, and leaves the history of one attempt', async () => {
    const [fixture, ids] = await startWithFullBuffer();
    gate.resolve();
    await waitUntil(async () => (await count(fixture, 'succeeded')) === 100 + JOBS);
    expect(ran).toEqual(ids);
    for (const id of ids) expect(await fixture.queue.history(id)).toMatchObject([{ attempt: 1, outcome: 'succeeded' }]);
  });

  it('is given back when handlers take longer than they did: nothing is used up, and another node runs it', async () => {
    const [fixture, ids] = await startWithFullBuffer();
    await waitUntil(async () => (await count(fixture, 'waiting')) === JOBS - SLOTS, { timeout: 5_000 });
    expect(await fixture.queue.history(ids.at(-1) as string)).toEqual([]);
    const other = await start(() => undefined);
    await waitUntil(async () => (await count(other, 'succeeded')) === 100 + JOBS - SLOTS);
    expect(await fixture.queue.get(ids.at(-1) as string)).toMatchObject({ retries: 0, crashes: 0 });
  });

  it('is given back by a pause', async () => {
    const [fixture] = await startWithFullBuffer();
    await fixture.queue.pause('t');
    await waitUntil(async () => (await count(fixture, 'waiting')) === JOBS - SLOTS, { timeout: 900 });
    gate.resolve();
    await waitUntil(async () => (await count(fixture, 'succeeded')) === 100 + SLOTS);
    expect(ran).toHaveLength(SLOTS);
  });

  it('is given back by a shutdown at once, while running handlers are waited for', async () => {
    const [fixture, ids] = await startWithFullBuffer();
    const closing = fixture.close();
    const other = await start(() => undefined);
    await waitUntil(async () => (await count(other, 'succeeded')) === 100 + JOBS - SLOTS);
    gate.resolve();
    await closing;
    expect(await count(other, 'succeeded')).toBe(100 + JOBS);
    expect(new Set(ran)).toEqual(new Set(ids));
    expect(ran).toHaveLength(JOBS);
  });

  it('never runs after it was cancelled', async () => {
    const [fixture, ids] = await startWithFullBuffer({ lease: { duration: 3_000, beat: 100, thread: false } });
    const last = ids.at(-1) as string;
    await fixture.queue.cancel(last);
    await waitUntil(async () => (await count(fixture, 'waiting')) === JOBS - SLOTS - 1, { timeout: 5_000 });
    gate.resolve();
    await waitUntil(async () => (await count(fixture, 'succeeded')) === 100 + JOBS - 1);
    expect(ran).not.toContain(last);
    expect(await fixture.queue.get(last)).toMatchObject({ state: 'cancelled' });
  });

  it('is nothing where handlers are slow: two nodes share the jobs', async () => {
    const nodes = new Map<AppFixture, number>();
    const slow = async () => {
      const node: AppFixture = await start(
        async () => {
          nodes.set(node, (nodes.get(node) ?? 0) + 1);
          await pause(SLOW);
        },
        { autoStart: false },
      );
      return node;
    };
    const both = [await slow(), await slow()] as const;
    await enqueue(both[0], 20);
    await Promise.all(both.map((node) => node.start()));
    await waitUntil(async () => (await count(both[0], 'succeeded')) === 20);
    for (const node of both) expect(nodes.get(node)).toBeGreaterThanOrEqual(8);
  });
});
