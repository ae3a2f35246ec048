import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Redis } from 'ioredis';
import { connect } from 'node:net';
import { inspect } from 'node:util';
import { PersistentQueueError } from '../../lib/errors/persistent-queue.error.js';
import type { QueueEvent } from '../../lib/events/queue-event.js';
import { toldOf } from '../../lib/events/queue-events.js';
import type { PersistentQueueOptions } from '../../lib/options/module-options.js';
import { resolveOptions } from '../../lib/options/resolve-options.js';
import { redisWakeUps } from '../../lib/redis/index.js';
import { JobRepository } from '../../lib/repository/job-repository.js';
import { handler, startApp, type AppFixture } from '../support/app-fixture.js';
import { callersOf } from '../support/callers.js';
import { databases } from '../support/databases.js';
import { deferred, waitUntil } from '../support/wait-until.js';
import { describeWays, type WakeUpWay } from '../support/wake-up-way.js';

/** Nobody finds a job by polling before a test has failed. */
const NEVER = { min: 60_000, max: 60_000 };
const OFTEN = { min: 20, max: 100 };

/** What has happened in an application. */
class Node {
  readonly events: QueueEvent[] = [];

  constructor(readonly fixture: AppFixture) {
    fixture.queue.events$.subscribe((event) => this.events.push(event));
  }

  count(name: QueueEvent['name']): number {
    return this.events.filter((event) => event.name === name).length;
  }

  /** Counts what it asks for work, from now on. */
  statements(): () => number {
    const repository = this.fixture.app.get(JobRepository);
    const spies = [
      jest.spyOn(repository, 'survey'),
      jest.spyOn(repository, 'claim'),
      jest.spyOn(repository, 'promote'),
    ];
    return () => spies.reduce((sum, { mock }) => sum + mock.calls.length, 0);
  }
}

describeWays('wake-ups over $name', ({ start }) => {
  let way: WakeUpWay;
  const nodes: Node[] = [];
  beforeAll(async () => {
    way = await start();
  }, 60_000);
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map(({ fixture }) => fixture.close()));
    await waitUntil(async () => (await way.listeners()) === 0, { describe: 'every listener to be gone' });
  });
  afterAll(() => way.close());

  const ran: string[] = [];
  const note = (_: unknown, { id }: { id: string }) => void ran.push(id);

  async function open(queue: PersistentQueueOptions, providers = [handler('note', note)]): Promise<Node> {
    const settings = { poll: NEVER, ...way.options(), ...queue };
    const node = new Node(await startApp(way.schema, { providers, queue: settings }));
    nodes.push(node);
    return node;
  }

  const openProducer = () => open({ roles: ['enqueue'] }, []);

  /** Resolves when it hears others. */
  async function openWorker(queue: PersistentQueueOptions = {}, providers = [handler('note', note)]): Promise<Node> {
    const before = await way.listeners();
    const node = await open({ roles: ['enqueue', 'work', 'maintain'], ...queue }, providers);
    await waitUntil(async () => (await way.listeners()) > before, { describe: 'it to listen' });
    return node;
  }

  const arrives = (id: string) => waitUntil(() => ran.includes(id), { describe: `job ${id} to run` });

  async function delivers(producer: Node): Promise<void> {
    await arrives((await producer.fixture.queue.enqueue('note')).id);
  }

  it('tell another application of a job', async () => {
    const worker = await openWorker();
    const producer = await openProducer();
    await delivers(producer);
    await delivers(producer);
    expect(worker.count('wake-ups.lost') + producer.count('wake-ups.lost')).toBe(0);
  });

  it('go out after the commit, and never for what is rolled back', async () => {
    const producer = await openProducer();
    const heard = await way.overhear();
    const { queue, dataSource } = producer.fixture;
    await expect(
      dataSource.transaction(async (manager) => {
        await queue.enqueue('rolled back', null, { manager });
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    await dataSource.transaction(async (manager) => {
      await queue.enqueue('committed', null, { manager });
    });
    await waitUntil(() => heard.messages.length > 0);
    await queue.enqueue('delayed', null, { delay: '1h' });
    await queue.enqueue('last');
    await waitUntil(() => heard.messages.some((message) => message.includes('last')));
    await heard.stop();
    expect(heard.messages.join()).toContain('committed');
    expect(heard.messages.join()).not.toContain('rolled back');
    expect(heard.messages).toHaveLength(2);
  });

  it('for a transaction of another library are sent once, when it has probably ended', async () => {
    const { type, url } = way.schema.options as { type: 'postgres' | 'mariadb'; url: string };
    const caller = await callersOf(type)[0]![1](url);
    const producer = await openProducer();
    const heard = await way.overhear();
    const transaction = await caller.begin();
    const began = performance.now();
    await producer.fixture.queue.enqueue('foreign', null, { manager: transaction.manager });
    await transaction.commit();
    await waitUntil(() => heard.messages.length > 0);
    expect(performance.now() - began).toBeGreaterThan(400);
    await producer.fixture.queue.enqueue('last');
    await waitUntil(() => heard.messages.some((message) => message.includes('last')));
    await heard.stop();
    await caller.close();
    expect(heard.messages).toHaveLength(2);
  });

  it('of many jobs at once are few', async () => {
    const producer = await openProducer();
    const heard = await way.overhear();
    await Promise.all(Array.from({ length: 500 }, () => producer.fixture.queue.enqueue('crowd')));
    await producer.fixture.queue.enqueue('last');
    await waitUntil(() => heard.messages.some((message) => message.includes('last')));
    await heard.stop();
    expect(heard.messages.length).toBeLessThan(100);
  });

  it('that are garbage, forged or for others do nothing at all', async () => {
    const worker = await openWorker();
    const producer = await openProducer();
    await delivers(producer);
    const asked = worker.statements();
    const forged = (message: object) => JSON.stringify({ from: 'x', service: 'default', levels: [], ...message });
    const garbage = [
      'null',
      '[]',
      '{"from":',
      '\u0007',
      forged({ service: 'another', levels: [['note', 0]] }),
      forged({ levels: [['a type that nobody has', 0]] }),
      forged({ levels: 'note' }),
      forged({ levels: [['note', -1]] }),
      forged({ levels: [['note', 1e9]] }),
      forged({ levels: [[{ toString: 'note' }, 0]] }),
      forged({ levels: Array.from({ length: 200 }, () => ['note', 0]) }),
      `{"__proto__":{"from":"x"},"from":"x","service":"default","levels":{"length":1}}`,
    ];
    for (const message of garbage) await way.send(message);
    let untilStart: number | undefined;
    worker.fixture.queue.events$.subscribe(({ name }) => {
      if (name === 'job.started') untilStart ??= asked();
    });
    // It has heard the others before: they come in their order.
    await delivers(producer);
    expect(untilStart).toBe(1);
  });

  it('cost one statement when another node has been faster', async () => {
    const worker = await openWorker();
    await delivers(await openProducer());
    await waitUntil(async () => (await worker.fixture.queue.counts()).every(({ state }) => state !== 'running'));
    const asked = worker.statements();
    await way.send(JSON.stringify({ from: 'x', service: 'default', levels: [['note', 0]] }));
    await waitUntil(() => asked() > 0);
    await worker.fixture.queue.counts();
    expect(asked()).toBe(1);
    await delivers(await openProducer());
  });

  it('cost a full node nothing, which begins with the job when it has room', async () => {
    const gate = deferred();
    const started: string[] = [];
    const work = async (_: unknown, { id }: { id: string }) => {
      started.push(id);
      await gate.promise;
    };
    const worker = await openWorker({ concurrency: 1 }, [handler('full', work)]);
    const { queue } = (await openProducer()).fixture;
    await queue.enqueue('full');
    await waitUntil(() => started.length === 1);
    const heard = await way.overhear();
    const asked = worker.statements();
    for (let n = 0; n < 5; n++) await queue.enqueue('full');
    await queue.enqueue('last');
    await waitUntil(() => heard.messages.some((message) => message.includes('last')));
    await heard.stop();
    expect(asked()).toBe(0);
    gate.resolve();
    await waitUntil(() => started.length === 6);
  });

  it('tell of jobs that are retried, run now, or resumed', async () => {
    let fails = true;
    const work = (payload: unknown, job: { id: string }) => {
      if (fails) throw new Error('not yet');
      note(payload, job);
    };
    const worker = await openWorker({}, [handler('control', work, { maxRetries: 0 })]);
    const { queue } = (await openProducer()).fixture;
    const failed = [await queue.enqueue('control'), await queue.enqueue('control')];
    for (const { id } of failed) await worker.fixture.waitFor(id, 'failed');
    fails = false;
    await queue.retry(failed[0]?.id ?? '');
    await arrives(failed[0]?.id ?? '');
    await queue.retry({ type: 'control' });
    await arrives(failed[1]?.id ?? '');
    const later = await queue.enqueue('control', null, { delay: '1h' });
    await queue.runNow(later.id);
    await arrives(later.id);
    await queue.pause('control');
    const paused = await queue.enqueue('control');
    await queue.resume('control');
    await arrives(paused.id);
  });

  it('tell of what a node gives back when it stops', async () => {
    const gate = deferred();
    const { promise } = gate;
    const stopping = await openWorker({ shutdownTimeout: 0 }, [handler('given back', () => promise)]);
    const { id } = await stopping.fixture.queue.enqueue('given back');
    await waitUntil(() => stopping.count('job.started') === 1);
    await openWorker({}, [handler('given back', note)]);
    await stopping.fixture.close();
    nodes.splice(nodes.indexOf(stopping), 1);
    await arrives(id);
    gate.resolve();
  });

  it('whose connection is ended come back, with a look at what was missed, and two lines in the log', async () => {
    const worker = await openWorker();
    const producer = await openProducer();
    await delivers(producer);
    await way.cut();
    await waitUntil(() => worker.count('wake-ups.restored') === 1);
    await delivers(producer);
    expect(worker.count('wake-ups.lost')).toBe(1);
  });

  it('come back after their server has crashed; meanwhile jobs are found by polling', async () => {
    const worker = await openWorker({ poll: OFTEN });
    const producer = await openProducer();
    await delivers(producer);
    await way.crash();
    await waitUntil(() => [worker, producer].every((node) => node.count('wake-ups.lost') === 1));
    // Where it is the database that has crashed, there is nowhere to put a job.
    if (way.inProcess.redis !== undefined) await delivers(producer);
    await way.restart();
    await waitUntil(() => [worker, producer].every((node) => node.count('wake-ups.restored') === 1), {
      timeout: 20_000,
    });
    await delivers(producer);
    expect([worker.count('wake-ups.lost'), producer.count('wake-ups.lost')]).toEqual([1, 1]);
  }, 60_000);
});

describe('wake-ups', () => {
  const [database] = databases();

  it('over a PostgreSQL that is none are refused at start', async () => {
    const schema = await database!.create();
    await expect(startApp(schema, { queue: { wakeUps: 'postgres' } })).rejects.toThrow(
      /wakeUps cannot be used \(got 'postgres'\).*'better-sqlite3', which has no NOTIFY: give redisWakeUps\(\)/,
    );
    await schema.drop();
  });

  it.each([
    ['redis', /wakeUps.*a string of 5 characters.*Give 'postgres', or what redisWakeUps\(\) answers/],
    [true, /wakeUps/],
    [{}, /wakeUps/],
  ])('%j are refused', async (wakeUps, message) => {
    const schema = await database!.create();
    await expect(startApp(schema, { queue: { wakeUps: wakeUps as never } })).rejects.toThrow(message);
    await schema.drop();
  });

  it.each<[object, RegExp]>([
    [{ uri: 'redis://127.0.0.1' }, /'uri' in redisWakeUps\(\).*'url'/],
    [{ url: 7 }, /redisWakeUps\(\)\.url/],
    [{ client: {} }, /redisWakeUps\(\)\.client.*Give a Redis of ioredis/],
    [{ client: { isCluster: true, duplicate: () => undefined } }, /redisWakeUps\(\)\.client.*It is a Cluster/],
    [{ prefix: '' }, /redisWakeUps\(\)\.prefix/],
  ])('over redisWakeUps(%j) are refused', (options, message) => {
    expect(() => redisWakeUps(options)).toThrow(message);
  });

  const url = 'redis://:a-secret@127.0.0.1';
  it.each<[string, () => unknown]>([
    ['wakeUps that are a URL', () => resolveOptions({ wakeUps: url as never })],
    ['wakeUps that are of Redis', () => resolveOptions({ wakeUps: { url } as never })],
    ['wakeUps that are misspelled', () => resolveOptions({ wakeUp: url } as object)],
    ['a URL instead of options', () => redisWakeUps(url as never)],
    ['a URL as options of ioredis', () => redisWakeUps({ options: url as never })],
    ['an object as a URL', () => redisWakeUps({ url: new URL(url) as never })],
    ['an unknown option', () => redisWakeUps({ uri: url } as object)],
    ['a client and a URL', () => redisWakeUps({ url, client: new Redis(url, { lazyConnect: true }) })],
    ['what is no client', () => redisWakeUps({ client: { url } as never })],
  ])('are refused without telling what may be a password: %s', (_, refused) => {
    let error: unknown;
    try {
      refused();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(PersistentQueueError);
    expect(inspect(error, { depth: 9 })).not.toContain('a-secret');
  });

  it('that are lost say why, also where a host has several addresses', async () => {
    const addresses = ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }));
    const lookup = (_: string, __: unknown, done: (error: null, found: object[]) => void) => done(null, addresses);
    // Nobody has ever listened there.
    const socket = connect({ host: 'two', port: 1, lookup: lookup as never, autoSelectFamily: true });
    const error = await new Promise((resolve) => socket.once('error', resolve));
    expect(Reflect.get(Object(error), 'message')).toBe('');
    expect(toldOf(error).error).toMatch(/ECONNREFUSED 127.0.0.1:1; .*ECONNREFUSED 127.0.0.2:1/);
  });

  it('over a Redis that is not there neither keep an application from starting nor from stopping, and say so once', async () => {
    const schema = await database!.create();
    // Nobody has ever listened there.
    const port = 1;
    const lost: QueueEvent[] = [];
    const fixture = await startApp(schema, {
      providers: [handler('note', () => undefined)],
      queue: { wakeUps: redisWakeUps({ options: { host: '127.0.0.1', port } }) },
    });
    fixture.queue.events$.subscribe((event) => {
      if (event.name.startsWith('wake-ups.')) lost.push(event);
    });
    const { id } = await fixture.queue.enqueue('note');
    await fixture.waitFor(id, 'succeeded');
    await waitUntil(() => lost.length > 0);
    expect(lost).toEqual([
      expect.objectContaining({ name: 'wake-ups.lost', error: expect.stringMatching(/ECONNREFUSED/) }),
    ]);
    const began = performance.now();
    await fixture.close();
    expect(performance.now() - began).toBeLessThan(3_000);
    await schema.drop();
  });

  it('leave a client of the application alone', async () => {
    const client = new Redis({ lazyConnect: true, keyPrefix: 'shop:' });
    const schema = await database!.create();
    const fixture = await startApp(schema, { queue: { wakeUps: redisWakeUps({ client }) } });
    await fixture.close();
    expect(client.status).toBe('wait');
    await schema.drop();
  });
});
