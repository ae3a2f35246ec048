import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { InvalidHandlerError } from '../../lib/errors/invalid-handler.error.js';
import { InvalidOptionError } from '../../lib/errors/invalid-option.error.js';
import { PermanentJobError } from '../../lib/errors/permanent-job.error.js';
import type { QueueEvent } from '../../lib/events/queue-event.js';
import type { JobHandlerDecoratorOptions } from '../../lib/handler/job-handler.decorator.js';
import type { JobContext } from '../../lib/job/job-context.js';
import { JobOutcome } from '../../lib/job/job-outcome.js';
import type { JobQueue } from '../../lib/queue/job-queue.js';
import { JobStep, MultiStepJob } from '../../lib/steps/multi-step-job.decorator.js';
import { handler, startApp, type AppFixture, type AppOptions } from '../support/app-fixture.js';
import { databases, type TestSchema } from '../support/databases.js';
import { deferred, waitUntil } from '../support/wait-until.js';

const BEAT = 200;

/** What a handler has handed over, as a broker would carry it. */
interface Message {
  readonly id: string;
  readonly delivery: number;
}

describe.each(databases())('manual acknowledgement on $name', (database) => {
  let schema: TestSchema;
  let service = '';
  let services = 0;
  let worker: AppFixture;
  let consumer: AppFixture;
  let messages: Message[] = [];
  let events: QueueEvent[] = [];
  const started: AppFixture[] = [];

  beforeAll(async () => {
    schema = await database.create();
    await (await schema.connect()).query('CREATE TABLE effect (job_id BIGINT NOT NULL)');
  });
  afterEach(async () => {
    await Promise.all(started.splice(0).map((app) => app.close()));
  });
  afterAll(() => schema.drop());

  async function startOne({ providers = [], queue = {} }: AppOptions): Promise<AppFixture> {
    const lease = { duration: 10 * BEAT, beat: BEAT, thread: false };
    const app = await startApp(schema, { providers, queue: { serviceName: service, lease, ...queue } });
    started.push(app);
    return app;
  }

  /** A process that hands jobs of type `send` over, and one that may only enqueue, and acknowledges. */
  async function start(
    options: JobHandlerDecoratorOptions = {},
    work: (payload: never, job: JobContext) => unknown = () => 'handed over',
  ): Promise<JobQueue> {
    service = `service-${++services}`;
    messages = [];
    events = [];
    const send = (payload: never, job: JobContext) => {
      messages.push({ id: job.id, delivery: job.delivery });
      return work(payload, job);
    };
    consumer = await startOne({ queue: { roles: ['enqueue'] } });
    worker = await startOne({ providers: [handler('send', send, { ack: 'manual', waitTime: 1, ...options })] });
    worker.queue.events$.subscribe((event) => events.push(event));
    return consumer.queue;
  }

  async function delivered(id: string): Promise<void> {
    await waitUntil(async () => (await consumer.queue.get(id))?.deliveredAt !== undefined, {
      describe: `job ${id} to be delivered`,
    });
  }

  const handled = (times: number) =>
    waitUntil(() => messages.length === times, { describe: () => `${times} deliveries; it was ${messages.length}` });

  const outcomes = async (id: string) => (await consumer.queue.history(id)).map(({ outcome }) => outcome);

  it('keeps jobs running without a slot until another process finishes them', async () => {
    const queue = await start({ concurrency: 1 });
    const ids = (await queue.enqueueMany('send', [{ payload: 1 }, { payload: 2 }])).map(({ id }) => id);
    await handled(2);
    for (const id of ids) await delivered(id);
    expect(await queue.counts()).toEqual([{ type: 'send', state: 'running', count: 2 }]);
    const waiting = queue.waitFor(ids[0] ?? '');
    for (const { id, delivery } of messages) {
      const told = await queue.finish(id, { delivery, result: `of ${id}` });
      expect(told).toEqual({ accepted: true, state: 'succeeded', reason: undefined });
    }
    expect(await waiting).toMatchObject({ state: 'succeeded', result: `of ${ids[0]}` });
    expect(events.map(({ name }) => name)).not.toContain('job.succeeded');
  });

  it.each([{}, { retention: { succeeded: 0 } }])(
    'lets a consumer be faster than the handler, which goes on undisturbed: %j',
    async (options) => {
      const goOn = deferred();
      let signal: AbortSignal | undefined;
      const queue = await start(options, async (_, job) => {
        ({ signal } = job);
        await goOn.promise;
        return 'slow';
      });
      const { id } = await queue.enqueue('send');
      await handled(1);
      expect(await queue.finish(id, { result: 'fast', delivery: messages[0]?.delivery ?? 0 })).toMatchObject({
        accepted: true,
      });
      // It asks for its lost claims once a beat.
      await pause(2 * BEAT);
      expect(signal?.aborted).toBe(false);
      goOn.resolve();
      const after = await queue.enqueue('send');
      await delivered(after.id);
      expect(events.map(({ name }) => name)).not.toContain('job.lost');
      const job = await queue.get(id);
      if (options.retention === undefined) expect(job).toMatchObject({ state: 'succeeded', result: 'fast' });
      else expect(job).toBeUndefined();
      expect(await outcomes(id)).toEqual(['succeeded']);
    },
  );

  it('handles a job again that nobody acknowledges, and fails it after maxRetries', async () => {
    const queue = await start({ ackTimeout: 20, maxRetries: 1 });
    const { id } = await queue.enqueue('send');
    const job = await queue.waitFor(id);
    expect(job).toMatchObject({ state: 'failed', retries: 2 });
    expect(job.lastError).toMatchObject({
      name: 'PermanentJobError',
      message: expect.stringMatching(/2 times.*20 ms/),
    });
    expect(messages).toEqual([
      { id, delivery: 1 },
      { id, delivery: 2 },
    ]);
    expect(await queue.history(id)).toMatchObject([
      { attempt: 1, outcome: 'delivered' },
      { attempt: 2, outcome: 'delivered' },
      { outcome: 'failed', reason: 'timeout' },
    ]);
    expect(await queue.finish(id, { delivery: 2 })).toEqual({ accepted: false, state: 'failed', reason: 'ended' });
    await queue.retry(id);
    await handled(3);
  });

  it('accepts what comes late until the job is handled again, and then only what that has handed over', async () => {
    const queue = await start({ ackTimeout: 20, maxRetries: 99 });
    const [late = '', later = ''] = (await queue.enqueueMany('send', [{ payload: 1 }, { payload: 2 }])).map(
      ({ id }) => id,
    );
    for (const id of [late, later]) await delivered(id);
    await started.pop()?.close();
    // It has no handler for them, and only finds that their time has passed.
    await startOne({});
    const isWaiting = async (id: string) => (await queue.get(id))?.state === 'waiting';
    await waitUntil(async () => (await isWaiting(late)) && isWaiting(later), { describe: 'their time to pass' });
    expect(await queue.finish(late, { delivery: await fenceOf(late) })).toMatchObject({ accepted: true });
    expect(await queue.get(late)).toMatchObject({ state: 'succeeded', result: 'handed over' });
    const old = await fenceOf(later);
    const send = handler('send', () => 'again', { ack: 'manual' });
    await startOne({ providers: [send] });
    await waitUntil(async () => (await queue.get(later))?.state === 'running', { describe: 'a redelivery' });
    const refused = { accepted: false, state: 'running', reason: 'delivered again' };
    expect(await queue.finish(later, { delivery: old })).toEqual(refused);
    expect(await queue.finish(later, { delivery: old + 1 })).toMatchObject({ accepted: true });
  });

  it('leaves a job with its consumer for as long as that says that it is at it', async () => {
    const queue = await start({ ackTimeout: 1_500 });
    const { id } = await queue.enqueue('send');
    await handled(1);
    for (let n = 0; n < 8; n++) {
      await pause(300);
      expect(await queue.processing(id, { delivery: 1 })).toMatchObject({ accepted: true, state: 'running' });
    }
    expect(messages).toHaveLength(1);
    expect(await queue.finish(id)).toMatchObject({ accepted: true });
    expect(await queue.get(id)).toMatchObject({ state: 'succeeded', result: 'handed over', retries: 0 });
  });

  it('fails a job for good when its consumer says so, and tells it in that process', async () => {
    const queue = await start({ maxRetries: 9 });
    const told: QueueEvent[] = [];
    queue.events$.subscribe((event) => told.push(event));
    const { id } = await queue.enqueue('send');
    await handled(1);
    await delivered(id);
    expect(await queue.fail(id, 'no such customer')).toEqual({ accepted: true, state: 'failed', reason: undefined });
    const job = { id, type: 'send', attempt: 1 };
    const failed = { name: 'job.failed', job, reason: 'error', error: 'no such customer' };
    expect(told).toContainEqual({ ...failed, errorName: 'PermanentJobError' });
  });

  it("ends a job with the consumer's own rows, or not at all", async () => {
    const queue = await start();
    const { id } = await queue.enqueue('send');
    await delivered(id);
    const write = async () => {
      await queue.transaction(async (manager) => {
        await manager.query(`INSERT INTO effect (job_id) VALUES (${Number(id)})`);
        expect(await queue.finish(id, { manager })).toMatchObject({ accepted: true });
        if ((await effects(id)) === 0) throw new Error('undone');
      });
    };
    await expect(write()).rejects.toThrow('undone');
    expect(await queue.get(id)).toMatchObject({ state: 'running', finishedAt: undefined });
    await consumer.queue.transaction(async (manager) => {
      await manager.query(`INSERT INTO effect (job_id) VALUES (${Number(id)})`);
      await queue.finish(id);
    });
    expect(await effects(id)).toBe(1);
    expect((await queue.get(id))?.state).toBe('succeeded');
  });

  it('knows errors and outcomes of the handler as every job does', async () => {
    const queue = await start({ maxRetries: 2 }, (_, { attempt }) => {
      if (attempt === 1) throw new Error('not yet');
      if (messages.length === 2) return JobOutcome.continue();
      if (messages.length === 3) return JobOutcome.retry({ after: 1 });
      throw new PermanentJobError('never');
    });
    const { id } = await queue.enqueue('send');
    expect(await queue.waitFor(id)).toMatchObject({ state: 'failed', retries: 2, deliveredAt: undefined });
    expect(await outcomes(id)).toEqual(['retried', 'continued', 'retried', 'failed']);
  });

  it('commits what job.transaction() writes together with the delivery', async () => {
    const queue = await start({}, (_, job) =>
      job.transaction(async (manager) => {
        await manager.query(`INSERT INTO effect (job_id) VALUES (${Number(job.id)})`);
        return 'written';
      }),
    );
    const { id } = await queue.enqueue('send');
    await delivered(id);
    expect(await effects(id)).toBe(1);
    expect(await queue.get(id)).toMatchObject({ state: 'running', result: undefined });
    await queue.finish(id);
    expect(await queue.get(id)).toMatchObject({ state: 'succeeded', result: 'written' });
  });

  it('is cancelled at once while it waits', async () => {
    const queue = await start();
    const { id } = await queue.enqueue('send');
    await delivered(id);
    await queue.cancel(id);
    expect((await queue.get(id))?.state).toBe('cancelled');
    expect(await queue.finish(id, { delivery: 1 })).toEqual({ accepted: false, state: 'cancelled', reason: 'ended' });
  });

  it('is refused at boot where it cannot be', async () => {
    service = `service-${++services}`;
    const boot = (options: JobHandlerDecoratorOptions) => startOne({ providers: [handler('t', () => 1, options)] });
    await expect(boot({ ackTimeout: '1m' })).rejects.toThrow(/ackTimeout.*Set ack: 'manual'/);
    await expect(boot({ ack: 'manual', ackTimeout: 0 })).rejects.toThrow(InvalidOptionError);
    await expect(boot({ ack: 'later' as never })).rejects.toThrow(/'auto' or 'manual'/);
    await expect(boot({ ack: 'manual', transactional: true })).rejects.toThrow(/Leave out transactional/);
    await expect(startOne({ providers: [ManualSteps] })).rejects.toThrow(InvalidHandlerError);
    await expect(startOne({ providers: [ManualSteps] })).rejects.toThrow(/ManualSteps.*cannot be acknowledged by hand/);
  });

  it('may be completed by configuration', async () => {
    service = `service-${++services}`;
    const hand = handler('t', () => 'handed over', { ack: 'manual' });
    consumer = await startOne({ providers: [hand], queue: { handlers: { t: { ackTimeout: '1h' } } } });
    const { id } = await consumer.queue.enqueue('t');
    await delivered(id);
    const job = await consumer.queue.get(id);
    expect(Number(job?.dueAt) - Number(job?.deliveredAt)).toBe(3_600_000);
  });

  async function fenceOf(id: string): Promise<number> {
    return (await consumer.queue.get(id))?.fence ?? 0;
  }

  async function effects(id: string): Promise<number> {
    const rows: unknown[] = await worker.dataSource.query(`SELECT job_id FROM effect WHERE job_id = ${Number(id)}`);
    return rows.length;
  }
});

describe.each(databases())('options of one job on $name', (database) => {
  let schema: TestSchema;
  let app: AppFixture;
  const deliveries: number[] = [];
  const attempts: (readonly [attempt: number, most: number])[] = [];

  beforeAll(async () => {
    schema = await database.create();
    const broken = (_: never, job: JobContext) => {
      deliveries.push(job.delivery);
      attempts.push([job.attempt, job.maxAttempts]);
      throw new Error('no');
    };
    app = await startApp(schema, {
      providers: [
        handler('broken', broken, { waitTime: 1, maxRetries: 1, retention: { failed: '1h' } }),
        handler('fine', () => 'done', { retention: { succeeded: 0 } }),
        BrokenSteps,
      ],
    });
  });
  afterEach(() => {
    deliveries.length = attempts.length = 0;
  });
  afterAll(async () => {
    await app.close();
    await schema.drop();
  });

  it('win over those of its type: more retries, and fewer', async () => {
    const more = await app.queue.enqueue('broken', 1, { maxRetries: 2 });
    expect(await app.waitFor(more.id, 'failed')).toMatchObject({ retries: 2 });
    expect(attempts).toEqual([1, 2, 3].map((attempt) => [attempt, 3]));
    expect(deliveries).toEqual([1, 2, 3]);
    attempts.length = 0;
    const none = await app.queue.enqueue('broken', 1, { maxRetries: 0 });
    await app.waitFor(none.id, 'failed');
    expect(attempts).toEqual([[1, 1]]);
  });

  it('count for each step of a multi-step job', async () => {
    const { id } = await app.queue.enqueue('broken steps', {}, { maxRetries: 0 });
    await app.waitFor(id, 'failed');
    expect((await app.queue.steps(id)).steps).toMatchObject([{ name: 'only', attempts: 1 }]);
  });

  it('say how long it is kept, whatever its type says', async () => {
    const kept = await app.queue.enqueue('fine', 1, { retention: { succeeded: '1h' } });
    await app.waitFor(kept.id, 'succeeded');
    const gone = await app.queue.enqueue('broken', 1, { maxRetries: 0, retention: { failed: 0 } });
    await waitUntil(async () => (await app.queue.get(gone.id)) === undefined, { describe: 'the job to be deleted' });
    expect(await app.queue.history(gone.id)).toMatchObject([{ outcome: 'failed' }]);
  });
});

@MultiStepJob('manual steps', { ack: 'manual' })
class ManualSteps {
  @JobStep({ order: 1 })
  only(): void {
    return undefined;
  }
}

@MultiStepJob('broken steps', { maxRetries: 1, waitTime: 1 })
class BrokenSteps {
  @JobStep({ order: 1 })
  only(): void {
    throw new Error('no');
  }
}
