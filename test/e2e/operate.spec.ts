import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { JobNotFoundError } from '../../lib/errors/job-not-found.error.js';
import { LeaseLostError } from '../../lib/errors/lease-lost.error.js';
import { WaitTimeoutError } from '../../lib/errors/wait-timeout.error.js';
import type { QueueEvent } from '../../lib/events/queue-event.js';
import type { JobContext } from '../../lib/job/job-context.js';
import { handler, startApp, type AppFixture, type AppOptions } from '../support/app-fixture.js';
import { databases, type TestSchema } from '../support/databases.js';
import { deferred, waitUntil } from '../support/wait-until.js';

const BEAT = 1_000;

describe.each(databases())('an operator on $name', (database) => {
  let schema: TestSchema;
  let service = '';
  let services = 0;
  const started: AppFixture[] = [];
  beforeAll(async () => {
    schema = await database.create();
  });
  afterEach(async () => {
    await Promise.all(started.splice(0).map((fixture) => fixture.close()));
  });
  afterAll(() => schema.drop());

  async function start({ providers = [], queue = {} }: AppOptions): Promise<AppFixture> {
    const lease = { duration: 3 * BEAT, beat: BEAT };
    const fixture = await startApp(schema, { providers, queue: { serviceName: service, lease, ...queue } });
    started.push(fixture);
    return fixture;
  }

  /** A process that runs the handlers, and one that only operates. */
  async function startBoth(...providers: NonNullable<AppOptions['providers']>) {
    service = `service-${++services}`;
    return {
      worker: await start({ providers }),
      operator: (await start({ queue: { roles: ['enqueue'] } })).queue,
    };
  }

  it('cancels a job that runs in another process: its signal is aborted within one beat, a late result is dropped', async () => {
    const begun = deferred<JobContext>();
    const release = deferred();
    const { worker, operator } = await startBoth(
      handler('long', async (_, job) => {
        begun.resolve(job);
        await release.promise;
        return 'late';
      }),
    );
    const events = record(worker);
    const { id } = await operator.enqueue('long');
    const { signal } = await begun.promise;
    // Long enough for its start to be recorded.
    await pause(250);
    await operator.cancel(id);
    expect((await operator.get(id))?.state).toBe('cancelled');
    const cancelledAt = performance.now();
    await waitUntil(() => signal.aborted, { timeout: 2 * BEAT, describe: 'the signal to be aborted' });
    expect(performance.now() - cancelledAt).toBeLessThan(BEAT);
    expect(signal.reason).toBeInstanceOf(LeaseLostError);
    release.resolve();
    await waitUntil(() => events.some(({ name }) => name === 'job.lost'));
    expect(await operator.get(id)).toMatchObject({ state: 'cancelled', result: undefined });
    expect(await operator.history(id)).toMatchObject([{ outcome: 'failed', reason: 'cancelled' }]);
    expect(events.map(({ name }) => name)).not.toContain('job.succeeded');
  });

  it('pauses a type during a burst: nothing starts after one beat, and after resume it goes on in its order', async () => {
    const ran: number[] = [];
    const work = async (n: number) => {
      ran.push(n);
      await pause(5);
    };
    const { operator } = await startBoth(
      handler('burst', work, { concurrency: 1 }),
      handler('other', () => 'ran'),
    );
    const jobs = Array.from({ length: 400 }, (_, payload) => ({ payload }));
    await operator.enqueueMany('burst', jobs);
    await waitUntil(() => ran.length >= 20);
    await operator.pause('burst');
    await pause(BEAT);
    const before = ran.length;
    expect(before).toBeLessThan(400);
    const { id } = await operator.enqueue('other');
    expect((await operator.waitFor(id)).result).toBe('ran');
    await pause(300);
    expect(ran).toHaveLength(before);
    expect(await operator.counts()).toEqual(
      expect.arrayContaining([
        { type: 'burst', state: 'succeeded', count: before },
        { type: 'burst', state: 'waiting', count: 400 - before },
      ]),
    );
    await operator.resume('burst');
    await waitUntil(() => ran.length === 400, { timeout: 15_000, describe: () => `${ran.length} of 400 have run` });
    expect(ran).toEqual(jobs.map(({ payload }) => payload));
  });

  it('waits for a job wherever it runs', async () => {
    const { worker, operator } = await startBoth(
      handler('good', (n: number) => n + 1),
      handler(
        'bad',
        () => {
          throw new Error('no');
        },
        { maxRetries: 0 },
      ),
    );
    const [good, bad, never] = [
      await operator.enqueue('good', 1),
      await operator.enqueue('bad'),
      await operator.enqueue('good', 2, { delay: '1h' }),
    ];
    for (const queue of [worker.queue, operator]) {
      expect(await queue.waitFor(good.id)).toMatchObject({ state: 'succeeded', result: 2 });
      expect(await queue.waitFor(bad.id)).toMatchObject({ state: 'failed', lastError: { message: 'no' } });
      await expect(queue.waitFor(never.id, { timeout: 50 })).rejects.toThrow(WaitTimeoutError);
      await expect(queue.waitFor('999999999')).rejects.toThrow(JobNotFoundError);
    }
    const waiting = operator.waitFor(never.id);
    await operator.cancel(never.id);
    expect((await waiting).state).toBe('cancelled');
  });

  it('reads what a job has logged and how far it is, while it runs and afterwards', async () => {
    const goOn = deferred();
    const { operator } = await startBoth(
      handler('talk', async (_, job) => {
        job.log('half way');
        job.progress({ done: 1, of: 2 });
        await goOn.promise;
        job.log('there');
        job.progress({ done: 2, of: 2 });
      }),
    );
    const { id } = await operator.enqueue('talk');
    await waitUntil(async () => (await operator.get(id))?.progress !== undefined, { describe: 'its progress' });
    expect(await operator.get(id)).toMatchObject({ state: 'running', progress: { done: 1, of: 2 } });
    expect(await operator.log(id)).toMatchObject([{ fence: 1, message: 'half way', at: expect.any(Date) }]);
    goOn.resolve();
    expect((await operator.waitFor(id)).progress).toEqual({ done: 2, of: 2 });
    expect((await operator.log(id)).map(({ message }) => message)).toEqual(['half way', 'there']);
  });

  it('loses nothing of a job by what it has logged', async () => {
    const { operator } = await startBoth(
      handler('odd', (_, job) => {
        job.log('NUL \0, half a pair \ud83d');
        job.log(`${'x'.repeat(1_999)}😀 cut in two`);
        return 'ran';
      }),
    );
    const { id } = await operator.enqueue('odd');
    expect(await operator.waitFor(id)).toMatchObject({ state: 'succeeded', result: 'ran' });
    expect((await operator.log(id)).map(({ message }) => message.slice(-24))).toEqual([
      'NUL \ufffd, half a pair \ufffd',
      'xxxx\ufffd… (2012 characters)',
    ]);
  });

  it('is told what happens in its own process', async () => {
    const { worker, operator } = await startBoth(handler('t', () => 'ran'));
    const events = record(worker);
    const jobs = Array.from({ length: 1_100 }, () => ({ payload: null }));
    const enqueued: QueueEvent[] = [];
    const subscription = operator.events$.subscribe((event) => enqueued.push(event));
    const [first] = await operator.enqueueMany('t', jobs);
    subscription.unsubscribe();
    expect(enqueued).toEqual(
      [1_000, 1_100].map((done) => ({ name: 'enqueue.progress', type: 't', done, total: 1_100 })),
    );
    const job = { id: first?.id, type: 't', attempt: 1, fence: 1 };
    await waitUntil(() => events.filter(({ name }) => name === 'job.succeeded').length === 1_100);
    expect(events).toEqual(
      expect.arrayContaining([
        { name: 'job.started', job },
        { name: 'job.succeeded', job },
      ]),
    );
    expect(enqueued).toHaveLength(2);
  });
});

function record({ queue }: AppFixture): QueueEvent[] {
  const events: QueueEvent[] = [];
  queue.events$.subscribe((event) => events.push(event));
  return events;
}
