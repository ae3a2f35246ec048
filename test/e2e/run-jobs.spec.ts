import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { JobTimeoutError } from '../../lib/errors/job-timeout.error.js';
import { PermanentJobError } from '../../lib/errors/permanent-job.error.js';
import type { JobContext } from '../../lib/job/job-context.js';
import { JobOutcome } from '../../lib/job/job-outcome.js';
import { handler, startApp, type AppFixture, type AppOptions } from '../support/app-fixture.js';
import { databases, type TestSchema } from '../support/databases.js';
import { deferred, waitUntil } from '../support/wait-until.js';

describe.each(databases())('a handler on $name', (database) => {
  let schema: TestSchema;
  let fixture: AppFixture;
  let services = 0;
  beforeAll(async () => {
    schema = await database.create();
  });
  afterEach(() => fixture.close());
  afterAll(() => schema.drop());

  async function start(options: AppOptions): Promise<AppFixture> {
    fixture = await startApp(schema, { ...options, queue: { serviceName: `service-${++services}`, ...options.queue } });
    return fixture;
  }

  it('gets the payload and its job, and what it returns is the stored result', async () => {
    let seen: Partial<JobContext> = {};
    const { queue, waitFor } = await start({
      providers: [
        handler(
          'order.notify',
          (payload: { orderId: number }, job) => {
            seen = { ...job };
            return { sent: payload.orderId };
          },
          { maxRetries: 4 },
        ),
      ],
    });
    const { id } = await queue.enqueue('order.notify', { orderId: 7 }, { key: 'k', reference: 'r', traceId: 't' });
    expect(await waitFor(id, 'succeeded')).toMatchObject({ result: { sent: 7 }, retries: 0 });
    expect(seen).toMatchObject({
      id,
      type: 'order.notify',
      attempt: 1,
      maxAttempts: 5,
      key: 'k',
      reference: 'r',
      traceId: 't',
    });
    expect(seen.createdAt).toBeInstanceOf(Date);
  });

  it('is called again after an error while retries last, and its attempts are kept', async () => {
    const { queue, waitFor } = await start({
      providers: [
        handler(
          'flaky',
          (_, job) => {
            if (job.attempt < 3) throw new TypeError(`no ${job.attempt}`);
            return 'done';
          },
          { maxRetries: 2, waitTime: 1 },
        ),
      ],
    });
    const { id } = await queue.enqueue('flaky');
    expect(await waitFor(id, 'succeeded', 'failed')).toMatchObject({ state: 'succeeded', retries: 2, result: 'done' });
    expect((await queue.history(id)).map(({ attempt, outcome, error }) => [attempt, outcome, error?.message])).toEqual([
      [1, 'retried', 'no 1'],
      [2, 'retried', 'no 2'],
      [3, 'succeeded', undefined],
    ]);
  });

  it('fails for good after maxRetries + 1 executions', async () => {
    let calls = 0;
    const { queue, waitFor } = await start({
      providers: [
        handler(
          'bad',
          () => {
            calls++;
            throw new Error('always');
          },
          { maxRetries: 2, waitTime: 1, backoff: 'exponential' },
        ),
      ],
    });
    const { id } = await queue.enqueue('bad');
    expect(await waitFor(id, 'failed')).toMatchObject({
      retries: 2,
      lastError: { message: 'always' },
      finishedAt: expect.any(Date),
    });
    expect(calls).toBe(3);
    expect((await queue.history(id)).at(-1)).toMatchObject({ outcome: 'failed', reason: 'error' });
  });

  it('fails at once with a PermanentJobError, whose cause is kept', async () => {
    const { queue, waitFor } = await start({
      providers: [
        handler('gone', () => {
          throw new PermanentJobError('no such order', { cause: new RangeError('404') });
        }),
      ],
    });
    const { id } = await queue.enqueue('gone');
    expect((await waitFor(id, 'failed')).lastError).toMatchObject({
      name: 'PermanentJobError',
      message: 'no such order',
      cause: { name: 'RangeError', message: '404' },
    });
    expect(await queue.history(id)).toHaveLength(1);
  });

  it('says with a JobOutcome to continue, to retry or to fail', async () => {
    let polls = 0;
    const { queue, waitFor } = await start({
      providers: [
        handler('poll', () => (++polls < 4 ? JobOutcome.continue({ after: 1 }) : 'ready'), { maxRetries: 0 }),
        handler('again', (_, job) => (job.attempt === 1 ? JobOutcome.retry({ after: 1, reason: 'busy' }) : 'ok'), {
          waitTime: '1h',
        }),
        handler('no', () => JobOutcome.fail('not today')),
      ],
    });
    const [poll, again, no] = [await queue.enqueue('poll'), await queue.enqueue('again'), await queue.enqueue('no')];
    expect(await waitFor(poll.id, 'succeeded')).toMatchObject({ retries: 0, result: 'ready' });
    expect((await queue.history(poll.id)).map(({ outcome, attempt }) => [outcome, attempt])).toEqual([
      ['continued', 1],
      ['continued', 1],
      ['continued', 1],
      ['succeeded', 1],
    ]);
    expect(await waitFor(again.id, 'succeeded')).toMatchObject({ retries: 1, lastError: { message: 'busy' } });
    expect(await waitFor(no.id, 'failed')).toMatchObject({ lastError: { message: 'not today' } });
  });

  it('that takes too long has its signal aborted, keeps its slot until it settles, and is retried', async () => {
    const slot = deferred();
    const reasons: unknown[] = [];
    let calls = 0;
    const { queue, waitFor } = await start({
      providers: [
        handler(
          'slow',
          async (_, job) => {
            if (++calls > 1) return 'second';
            await new Promise((resolve) => job.signal.addEventListener('abort', resolve));
            reasons.push(job.signal.reason);
            await slot.promise;
            throw new Error('gave up');
          },
          { timeout: 30, concurrency: 1, maxRetries: 1, waitTime: 1 },
        ),
      ],
    });
    const first = await queue.enqueue('slow');
    const second = await queue.enqueue('slow');
    await waitUntil(() => reasons.length > 0);
    expect(reasons[0]).toBeInstanceOf(JobTimeoutError);
    expect((await queue.get(second.id))?.state).toBe('waiting');
    slot.resolve();
    await waitFor(first.id, 'succeeded');
    await waitFor(second.id, 'succeeded');
    expect((await queue.history(first.id))[0]).toMatchObject({ outcome: 'retried', reason: 'timeout' });
  });

  it('is not called for a job past its deadline, which fails as expired', async () => {
    let calls = 0;
    const { queue, waitFor, dataSource } = await start({
      providers: [handler('fresh', () => calls++, { deadline: '1m' })],
      queue: { autoStart: false },
    });
    const byOption = await queue.enqueue('fresh');
    const byEnqueue = await queue.enqueue('fresh', null, { deadline: new Date(Date.now() - 1_000) });
    await dataSource.query(`UPDATE pq_job SET due = due - 61000 WHERE id = ${byOption.id}`);
    await fixture.start();
    for (const { id } of [byOption, byEnqueue]) {
      expect(await waitFor(id, 'failed')).toMatchObject({
        lastError: { message: expect.stringContaining('deadline') },
      });
      expect(await queue.history(id)).toMatchObject([{ outcome: 'failed', reason: 'expired', startedAt: undefined }]);
    }
    expect(calls).toBe(0);
  });

  it('runs the jobs of its type by priority, then due time, then id', async () => {
    const order: unknown[] = [];
    const { queue, waitFor } = await start({
      providers: [handler('step', (n: number) => order.push(n), { concurrency: 1 })],
      queue: { autoStart: false },
    });
    const jobs = [
      { payload: 1 },
      { payload: 2, priority: 5 },
      { payload: 3 },
      { payload: 4, priority: 9 },
      { payload: 5, priority: 5 },
    ];
    const enqueued = await queue.enqueueMany('step', jobs);
    await fixture.start();
    for (const { id } of enqueued) await waitFor(id, 'succeeded');
    expect(order).toEqual([4, 2, 5, 1, 3]);
  });

  it('leaves jobs of a type without a handler where they are', async () => {
    const { queue, waitFor } = await start({ providers: [handler('known', () => 'ok')] });
    const unknown = await queue.enqueue('unknown');
    for (let n = 0; n < 3; n++) await waitFor((await queue.enqueue('known')).id, 'succeeded');
    expect(await queue.get(unknown.id)).toMatchObject({ state: 'waiting', fence: 0, retries: 0 });
  });

  it('runs plain SQL’s jobs; a payload that is no JSON fails visibly and harms nobody', async () => {
    const { queue, waitFor, dataSource } = await start({ providers: [handler('sql', (payload) => payload)] });
    const insert = (payload: string) =>
      dataSource.query(`INSERT INTO pq_job (service, type, payload) VALUES ('service-${services}', 'sql', ${payload})`);
    await insert(`'{"n":1}'`);
    await insert(`'{broken'`);
    await insert('NULL');
    await waitUntil(
      async () =>
        (await queue.counts()).reduce(
          (sum, { state, count }) => sum + (state === 'waiting' || state === 'running' ? 0 : count),
          0,
        ) === 3,
    );
    expect(await queue.counts()).toEqual([
      { type: 'sql', state: 'failed', count: 1 },
      { type: 'sql', state: 'succeeded', count: 2 },
    ]);
    const { id } = await queue.enqueue('sql', 'still well');
    expect((await waitFor(id, 'succeeded')).result).toBe('still well');
  });

  it('that throws anything at all fails its job and nothing else', async () => {
    const circular = new Error('circular');
    circular.cause = circular;
    const hostile = Object.defineProperty(new Error('x'), 'message', {
      get: () => {
        throw new Error('gotcha');
      },
    });
    const thrown: Record<string, unknown> = {
      undefined: undefined,
      circular,
      huge: new Error('y'.repeat(10_000_000)),
      hostile,
      null: null,
      object: { a: 1n },
    };
    const { queue, waitFor } = await start({
      providers: [
        handler(
          'throw',
          (what: string) => {
            throw thrown[what];
          },
          { maxRetries: 0 },
        ),
      ],
    });
    for (const what of Object.keys(thrown)) {
      const { id } = await queue.enqueue('throw', what);
      const { lastError } = await waitFor(id, 'failed');
      expect(lastError?.message.length).toBeLessThan(5_000);
      expect(JSON.stringify(await queue.history(id)).length).toBeLessThan(70_000);
    }
  });

  it('may return and throw every character there is, and results as large as payloads', async () => {
    const text = 'a\u0000b\u2028 😀 \ud83d \\ "quoted" \'?\' $1';
    const { queue, waitFor } = await start({
      providers: [
        handler('echo', (payload: string) => payload),
        handler('shout', (payload: string) => {
          throw new PermanentJobError(payload);
        }),
      ],
    });
    const large = `${text}${'x'.repeat(1_000_000)}`;
    expect((await waitFor((await queue.enqueue('echo', large)).id, 'succeeded', 'failed')).result).toBe(large);
    expect((await waitFor((await queue.enqueue('shout', text)).id, 'failed')).lastError?.message).toBe(text);
  });

  it('whose result cannot be stored succeeds, and the history says why the result is missing', async () => {
    const { queue, waitFor } = await start({
      providers: [handler('odd', (what: string) => (what === 'big' ? 'z'.repeat(2_000_000) : new Map()))],
    });
    for (const [what, why] of [
      ['map', 'a Map'],
      ['big', '2000002 bytes'],
    ] as const) {
      const { id } = await queue.enqueue('odd', what);
      expect(await waitFor(id, 'succeeded', 'failed')).toMatchObject({ state: 'succeeded', result: undefined });
      expect(await queue.history(id)).toMatchObject([
        { outcome: 'succeeded', error: { name: 'ResultNotStored', message: expect.stringContaining(why) } },
      ]);
    }
  });

  it('enqueues a following job from inside its own', async () => {
    const { queue, waitFor } = await start({
      providers: [
        handler('first', async () => (await fixture.queue.enqueue('second', 2)).id),
        handler('second', (n) => n),
      ],
    });
    const first = await queue.enqueue('first');
    const second = (await waitFor(first.id, 'succeeded')).result as string;
    expect((await waitFor(second, 'succeeded')).result).toBe(2);
  });
});
