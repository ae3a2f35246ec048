import { Injectable, type Type } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { PermanentJobError } from '../../lib/errors/permanent-job.error.js';
import type { QueueEvent } from '../../lib/events/queue-event.js';
import type { JobHandlerDecoratorOptions } from '../../lib/handler/job-handler.decorator.js';
import { QueueInspector } from '../../lib/inspection/queue-inspector.js';
import type { JobContext } from '../../lib/job/job-context.js';
import { JobOutcome } from '../../lib/job/job-outcome.js';
import type { JobStepOptions } from '../../lib/options/step-options.js';
import { JobStep, MultiStepJob, OnJobFailed, OnJobSucceeded } from '../../lib/steps/multi-step-job.decorator.js';
import { BUSY_RETRY } from '../../lib/typeorm/busy-retry.js';
import { retryRolledBack } from '../../lib/typeorm/retry-rolled-back.js';
import { startApp, type AppFixture } from '../support/app-fixture.js';
import { databases, type TestDatabase, type TestSchema } from '../support/databases.js';
import { deferred, waitUntil } from '../support/wait-until.js';

// oxlint-disable-next-line typescript/no-explicit-any -- whatever shape a test gives its context
type Work = (context: any, job: JobContext, error?: any) => unknown;

interface Callbacks {
  succeeded?: Work;
  failed?: Work;
}

/** A class whose steps, in this order, do this. */
function multiStep(
  works: Record<string, Work | [Work, Partial<JobStepOptions>]>,
  { succeeded, failed }: Callbacks = {},
  options: JobHandlerDecoratorOptions = { waitTime: 1 },
): Type {
  class Steps {}
  const decorate = (name: string, work: Work, decorator: MethodDecorator) => {
    Object.defineProperty(Steps.prototype, name, { value: work, configurable: true, writable: true });
    decorator(Steps.prototype, name, Object.getOwnPropertyDescriptor(Steps.prototype, name) as PropertyDescriptor);
  };
  for (const [order, [name, step]] of Object.entries(works).entries()) {
    const [work, own] = Array.isArray(step) ? step : [step, {}];
    decorate(name, work, JobStep({ order, ...own }));
  }
  if (succeeded !== undefined) decorate('done', (...given) => succeeded(...given), OnJobSucceeded());
  if (failed !== undefined) decorate('gone', (...given) => failed(...given), OnJobFailed());
  MultiStepJob('work', options)(Steps);
  Injectable()(Steps);
  return Steps;
}

function jobsOn(database: TestDatabase) {
  let schema: TestSchema;
  let service = 0;
  const apps: AppFixture[] = [];
  beforeAll(async () => {
    schema = await database.create();
    await (await schema.connect()).query('CREATE TABLE effect (note VARCHAR(40) NOT NULL)');
  });
  afterEach(() => Promise.all(apps.splice(0).map((app) => app.close())));
  afterAll(() => schema.drop());
  return {
    /** A node of a new service. */
    async start(steps: Type): Promise<AppFixture> {
      service++;
      return this.startAnother(steps);
    },
    /** A node of the service that was started last. */
    async startAnother(steps: Type): Promise<AppFixture> {
      const queue = { serviceName: `service-${service}`, shutdownTimeout: 5_000, maxPayloadBytes: 2_000 };
      const app = await startApp(schema, { providers: [steps], queue });
      apps.push(app);
      return app;
    },
  };
}

async function outcomes(app: AppFixture, id: string) {
  return (await app.queue.history(id)).map(({ outcome }) => outcome);
}

async function only(app: AppFixture, sql: string): Promise<Record<string, string>> {
  const [row] = await app.dataSource.query<Record<string, string>[]>(sql);
  return row as Record<string, string>;
}

describe.each(databases())('a multi-step job on $name', (database) => {
  const on = jobsOn(database);

  it('runs its steps in order with one context, saved with each; results are stored and not passed on', async () => {
    const seen: unknown[] = [];
    const app = await on.start(
      multiStep(
        {
          last: [(context) => void seen.push({ ...context }), { order: 9 }],
          first: [(context) => ((context.log = ['first']), { receipt: 7 }), { order: -1.5 }],
          second: [(context) => void context.log.push(new Date(0)), { order: 2 }],
        },
        { succeeded: (context, job) => void seen.push([context, job.id]) },
      ),
    );
    const { id } = await app.queue.enqueue('work', { order: 5 });
    const context = { order: 5, log: ['first', '1970-01-01T00:00:00.000Z'] };
    expect(await app.waitFor(id, 'succeeded')).toMatchObject({ result: context, retries: 0 });
    expect(seen).toEqual([context, [context, id]]);
    expect(await outcomes(app, id)).toEqual(['succeeded']);
  });

  it('tries only the failed step again, with the context that was saved, and with its own retries', async () => {
    const ran: unknown[] = [];
    const app = await on.start(
      multiStep({
        a: (context) => void (ran.push('a'), (context.a = 1)),
        b: [
          (context, job) => {
            ran.push([context.b, job.attempt, job.maxAttempts]);
            context.b = 'spoiled';
            if (job.attempt < 3) throw new Error('not yet');
          },
          { maxRetries: Infinity, waitTime: 5 },
        ],
        c: () => void ran.push('c'),
      }),
    );
    const { id } = await app.queue.enqueue('work', {});
    expect(await app.waitFor(id, 'succeeded')).toMatchObject({ result: { a: 1, b: 'spoiled' }, retries: 0 });
    const tries = [1, 2, 3].map((attempt) => [undefined, attempt, Infinity]);
    expect(ran).toEqual(['a', ...tries, 'c']);
    expect(await outcomes(app, id)).toEqual(['retried', 'retried', 'succeeded']);
  });

  it('commits what a transactional step writes with its context and its end, or neither', async () => {
    const write = (job: JobContext) =>
      job.manager.query(`INSERT INTO effect (note) VALUES ('${job.id} in ${job.attempt}')`);
    const app = await on.start(
      multiStep({
        pay: [
          async (context, job) => {
            await write(job);
            context.paid = job.attempt;
            if (job.attempt === 1) throw new Error('not yet');
          },
          { transactional: true },
        ],
      }),
    );
    const { id } = await app.queue.enqueue('work', {});
    expect((await app.waitFor(id, 'succeeded')).result).toEqual({ paid: 2 });
    expect(await app.dataSource.query('SELECT note FROM effect')).toEqual([{ note: `${id} in 2` }]);
  });

  it('that fails for good calls its callback with the context that was saved last, and the error', async () => {
    const seen: unknown[] = [];
    const app = await on.start(
      multiStep(
        {
          a: (context) => void (context.a = 1),
          b: (context) => {
            context.b = 'forgotten';
            throw new PermanentJobError('card stolen');
          },
          c: () => void seen.push('c'),
        },
        {
          failed: async (context, job, error) => {
            await job.step('tell', () => seen.push(context, error.message));
          },
        },
      ),
    );
    const { id } = await app.queue.enqueue('work', {});
    expect(await app.waitFor(id, 'failed')).toMatchObject({ lastError: { message: 'card stolen' } });
    expect(seen).toEqual([{ a: 1 }, 'card stolen']);
    // What failed for good is run again when somebody says so, and its callback too.
    await app.queue.retry(id);
    await waitUntil(() => seen.length === 4);
    await app.waitFor(id, 'failed');
  });

  it('tells about its steps while it runs and afterwards', async () => {
    const gate = deferred();
    const app = await on.start(
      multiStep({
        a: [(context) => ((context.a = 1), 'result of a'), { description: 'The first', maxRetries: 0 }],
        b: async (_, job) => {
          await job.step('inside', () => 2);
          await gate.promise;
          if (job.attempt === 1) throw new Error('not yet');
        },
        c: () => 3,
      }),
    );
    const { id } = await app.queue.enqueue('work', {});
    expect((await app.queue.steps('no job')).steps).toEqual([]);
    const inside = async () => (await app.queue.steps(id)).steps.some(({ name }) => name === 'b/inside');
    await waitUntil(inside);
    const { steps, ...counts } = await app.queue.steps(id);
    expect(counts).toEqual({ total: 3, done: 1, context: { a: 1 } });
    expect(steps).toMatchObject([
      { name: 'a', kind: 'step', description: 'The first', state: 'succeeded', attempts: 1, result: 'result of a' },
      { name: 'b', state: 'running', attempts: 0, startedAt: undefined },
      { name: 'b/inside', kind: 'call', state: 'succeeded', result: 2 },
      { name: 'c', state: 'waiting', attempts: 0 },
    ]);
    expect(steps[0]?.endedAt?.getTime()).toBeGreaterThanOrEqual(steps[0]?.startedAt?.getTime() ?? Infinity);
    gate.resolve();
    await app.waitFor(id, 'succeeded');
    const after = await app.queue.steps(id);
    expect(after).toMatchObject({ total: 3, done: 3, context: { a: 1 } });
    expect(after.steps[1]).toMatchObject({ name: 'b', state: 'succeeded', attempts: 2, error: undefined });
  });

  it('is restarted from a step with the context that it had there, or with another one', async () => {
    const ran: unknown[] = [];
    const app = await on.start(
      multiStep(
        {
          a: (context) => void (context.trace = ['a']),
          b: (context) => void context.trace.push('b'),
          c: (context) => {
            ran.push(context.trace.join(''));
            context.trace.push('c');
          },
        },
        { succeeded: (context) => void ran.push(`done ${context.trace.join('')}`) },
      ),
    );
    const { id } = await app.queue.enqueue('work', {}, { key: 'k' });
    const ended = async () => (await app.waitFor(id, 'succeeded')).result;
    await ended();
    expect(await app.queue.restart(id, { fromStep: 'c' })).toBe(id);
    expect(await ended()).toEqual({ trace: ['a', 'b', 'c'] });
    await app.queue.restart({ type: 'work', key: 'k' }, { fromStep: 'b', context: { trace: ['x'] } });
    expect(await ended()).toEqual({ trace: ['x', 'b', 'c'] });
    await app.queue.restart(id, { fromStep: 'b' });
    expect(await ended()).toEqual({ trace: ['x', 'b', 'c'] });
    await app.queue.restart(id, { fromStep: 'a' });
    expect(await ended()).toEqual({ trace: ['a', 'b', 'c'] });
    expect(ran).toEqual(['ab', 'done abc', 'ab', 'done abc', 'xb', 'done xbc', 'xb', 'done xbc', 'ab', 'done abc']);
  });

  it('runs once when it is restarted twice at the same moment', async () => {
    const ran: string[] = [];
    const app = await on.start(multiStep({ a: () => 1, b: () => void ran.push('b') }));
    const { id } = await app.queue.enqueue('work', {});
    await app.waitFor(id, 'succeeded');
    const calls = Array.from({ length: 5 }, () => app.queue.restart(id, { fromStep: 'b' }));
    const answers = await Promise.allSettled(calls);
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const answer of answers) {
      if (answer.status === 'rejected')
        expect(answer.reason).toMatchObject({
          name: 'JobStateError',
          message: expect.stringMatching(/cannot be restarted/),
        });
    }
    await app.waitFor(id, 'succeeded');
    await waitUntil(async () => (await outcomes(app, id)).length === 2);
    expect(ran).toEqual(['b', 'b']);
  });

  it('goes on counting the attempts of its step after a restart, and its wait holds up no stop', async () => {
    const ran: unknown[] = [];
    const steps = () =>
      multiStep({
        a: () => void ran.push('a'),
        b: [
          (_, job) => {
            ran.push(`b ${job.attempt}`);
            throw new Error('no');
          },
          { maxRetries: 1, waitTime: '1h' },
        ],
      });
    const first = await on.start(steps());
    const { id } = await first.queue.enqueue('work', {});
    await first.waitFor(id, 'scheduled');
    const began = performance.now();
    await first.close();
    expect(performance.now() - began).toBeLessThan(5_000);
    const second = await on.startAnother(steps());
    await second.queue.runNow(id);
    await second.waitFor(id, 'failed');
    expect(ran).toEqual(['a', 'b 1', 'b 2']);
  });

  it('is released by a graceful stop after its step, and goes on at the next one on another node', async () => {
    const gate = deferred();
    const ran: string[] = [];
    const steps = (node: string) =>
      multiStep({
        a: async (context) => {
          ran.push(`a on ${node}`);
          await gate.promise;
          context.from = node;
        },
        b: (context) => void ran.push(`b on ${node} from ${context.from}`),
      });
    const first = await on.start(steps('first'));
    const { id } = await first.queue.enqueue('work', {});
    await waitUntil(() => ran.length === 1);
    const stopping = first.close();
    const second = await on.startAnother(steps('second'));
    gate.resolve();
    await stopping;
    await second.waitFor(id, 'succeeded');
    expect(ran).toEqual(['a on first', 'b on second from first']);
    expect(await outcomes(second, id)).toEqual(['released', 'succeeded']);
  });
});

/** What differs between databases in these is held by the contract. */
describe('a multi-step job', () => {
  const on = jobsOn(databases()[0] as TestDatabase);

  it('keeps its key for ever: a second enqueue answers the first id, whatever has become of the job', async () => {
    const app = await on.start(multiStep({ a: () => 1 }, {}, { retention: { succeeded: 0 } }));
    const first = await app.queue.enqueue('work', {}, { key: 'order-1' });
    await app.waitFor(first.id, 'succeeded');
    expect(await app.queue.enqueue('work', {}, { key: 'order-1' })).toEqual({ id: first.id, created: false });
    // Unless it is told otherwise: then the key is free again when the job has ended.
    await app.queue.enqueue('work', {}, { key: 'order-2', keyScope: 'open' });
    await waitUntil(async () => (await app.queue.enqueue('work', {}, { key: 'order-2', keyScope: 'open' })).created);
  });

  it.each<[string, RegExp, Work]>([
    ['cannot be saved', /Step 'b' has a context that cannot be saved.*'tags' is a Set/, (c) => (c.tags = new Set())],
    ['is too large', /Step 'b' has a context that is too large.*2000/, (c) => (c.text = 'x'.repeat(3_000))],
  ])('whose context %s fails in that step, and keeps the last good one', async (_, message, spoil) => {
    const seen: unknown[] = [];
    const works = {
      a: ((context) => (context.a = 1)) as Work,
      b: ((context) => void spoil(context, {} as never)) as Work,
    };
    const app = await on.start(multiStep(works, { failed: (context) => void seen.push(context) }, { maxRetries: 0 }));
    const { id } = await app.queue.enqueue('work', {});
    expect((await app.waitFor(id, 'failed')).lastError?.message).toMatch(message);
    expect(seen).toEqual([{ a: 1 }]);
  });

  it('aborts the signal of a step that takes too long, and of no other', async () => {
    const aborted: boolean[] = [];
    const late = (job: JobContext) =>
      new Promise<void>((resolve) => job.signal.addEventListener('abort', () => resolve()));
    const app = await on.start(
      multiStep({
        slow: [(_, job) => late(job), { timeout: 20 }],
        next: (_, job) => void aborted.push(job.signal.aborted),
        stuck: [(_, job) => late(job).then(() => Promise.reject(new Error('gave up'))), { timeout: 20, maxRetries: 0 }],
      }),
    );
    const { id } = await app.queue.enqueue('work', {});
    await app.waitFor(id, 'failed');
    expect(aborted).toEqual([false]);
    expect((await app.queue.history(id)).at(-1)).toMatchObject({ reason: 'timeout', error: { message: 'gave up' } });
  });

  it('may sleep, call steps and look again inside of a step; names are those of the step', async () => {
    const ran: string[] = [];
    let looks = 0;
    const app = await on.start(
      multiStep({
        a: async (context, job) => {
          context.label = await job.step('label', () => (ran.push('a/label'), 'A'));
          await job.sleep('nap', 30);
        },
        b: async (context, job) => {
          context.label += await job.step('label', () => (ran.push('b/label'), 'B'));
          if (++looks < 3) return JobOutcome.continue({ after: 1 });
          return undefined;
        },
      }),
    );
    const { id } = await app.queue.enqueue('work', {});
    expect((await app.waitFor(id, 'succeeded')).result).toEqual({ label: 'AB' });
    expect(ran).toEqual(['a/label', 'b/label']);
    expect(await outcomes(app, id)).toEqual(['continued', 'continued', 'continued', 'succeeded']);
  });

  it('calls its callback again until that succeeds, without running a step again', async () => {
    const ran: string[] = [];
    const app = await on.start(
      multiStep(
        { a: () => void ran.push('a') },
        {
          succeeded: (_, job) => {
            ran.push(`callback ${job.attempt}`);
            if (job.attempt < 3) throw new Error('mail server is down');
          },
        },
      ),
    );
    const { id } = await app.queue.enqueue('work', {});
    await app.waitFor(id, 'succeeded');
    expect(ran).toEqual(['a', 'callback 1', 'callback 2', 'callback 3']);
  });

  it('whose deadline has passed, or whose payload is no JSON, has failed as far as its class is concerned', async () => {
    const seen: unknown[] = [];
    const failed: Work = (context, _, error) => void seen.push([context, error.message]);
    const app = await on.start(multiStep({ a: () => void seen.push('a') }, { failed }));
    const late = await app.queue.enqueue('work', { a: 1 }, { deadline: new Date(0) });
    expect((await app.waitFor(late.id, 'failed')).lastError?.message).toMatch(/deadline/);
    expect((await app.queue.history(late.id))[0]).toMatchObject({ reason: 'expired' });
    const { service_name: service } = await only(
      app,
      `SELECT service AS service_name FROM pq_job WHERE id = ${late.id}`,
    );
    await retryRolledBack(BUSY_RETRY, () =>
      app.dataSource.query(`INSERT INTO pq_job (service, type, payload) VALUES ('${service}', 'work', 'no JSON')`),
    );
    await waitUntil(() => seen.length === 2);
    expect(seen).toEqual([
      [{ a: 1 }, expect.stringMatching(/deadline/)],
      [null, expect.stringMatching(/not JSON/)],
    ]);
  });

  it('is not restarted while it is open, from a step that it has not come to, or with a context that cannot be saved', async () => {
    const gate = deferred();
    const app = await on.start(
      multiStep({
        a: () => 1,
        b: () => gate.promise.then(() => Promise.reject(new PermanentJobError('no'))),
        c: () => 1,
      }),
    );
    const { id } = await app.queue.enqueue('work', {});
    await app.waitFor(id, 'running');
    await expect(app.queue.restart(id, { fromStep: 'a' })).rejects.toThrow(
      /cannot be restarted \(got 'running'\).*succeeded or failed or cancelled/,
    );
    gate.resolve();
    await app.waitFor(id, 'failed');
    await expect(app.queue.restart(id, { fromStep: 'c' })).rejects.toThrow(/Step 'c'.*can be restarted from a, b/);
    await expect(app.queue.restart(id, { fromStep: 'z' })).rejects.toThrow(/can be restarted from a, b/);
    await expect(app.queue.restart(id, { fromStep: 'a', context: new Map() })).rejects.toThrow(/cannot be saved/);
    await expect(app.queue.restart(id, {} as never)).rejects.toThrow(/fromStep.*name of a step/);
    await expect(app.queue.restart('999999', { fromStep: 'a' })).rejects.toThrow(/No such job/);
    await expect(app.queue.restart({ type: 'work', key: '?' }, { fromStep: 'a' })).rejects.toThrow(/No such job/);
    expect((await app.queue.get(id))?.state).toBe('failed');
  });

  it('that has taken its process down too often is not run, and its class is told', async () => {
    const seen: unknown[] = [];
    const failed: Work = (context, _, error) => void seen.push([context, error.message]);
    const app = await on.start(multiStep({ a: () => void seen.push('a') }, { failed }, { maxCrashes: 2 }));
    const { id } = await app.queue.enqueue('work', { a: 1 }, { delay: '1h' });
    await retryRolledBack(BUSY_RETRY, () =>
      app.dataSource.query(`UPDATE pq_job SET suspect = 1, crashes = 2 WHERE id = ${id}`),
    );
    await app.queue.runNow(id);
    await app.waitFor(id, 'failed');
    expect((await app.queue.history(id))[0]).toMatchObject({ reason: 'crash' });
    expect(seen).toEqual([[{ a: 1 }, expect.stringMatching(/died with this job.*maxCrashes 2/)]]);
  });

  it('refuses job.transaction(), which would end the job in the middle', async () => {
    const app = await on.start(multiStep({ a: (_, job) => job.transaction(async () => 1) }, {}, { maxRetries: 0 }));
    const { id } = await app.queue.enqueue('work', {});
    expect((await app.waitFor(id, 'failed')).lastError?.message).toMatch(/Step 'a'.*transactional: true/);
  });

  describe('that an older definition has begun', () => {
    /** A job whose steps `a` and `b` are finished, and whose definition is replaced while it sleeps in `c`. */
    async function begun(): Promise<{ id: string; app: AppFixture }> {
      const app = await on.start(
        multiStep({
          a: (context) => void (context.a = 1),
          b: (context) => void (context.b = 1),
          c: (_, job) => job.sleep('until the deployment', '1h'),
        }),
      );
      const { id } = await app.queue.enqueue('work', {});
      await app.waitFor(id, 'scheduled');
      await app.close();
      return { id, app };
    }

    it('goes on when the finished steps are still there, in order: renamed and added ones run after them', async () => {
      const { id } = await begun();
      const ran: string[] = [];
      const app = await on.startAnother(
        multiStep({
          a: () => void ran.push('a'),
          between: () => void ran.push('between'),
          b: () => void ran.push('b'),
          added: () => void ran.push('added'),
          renamed: (context) => void ran.push(JSON.stringify(context)),
        }),
      );
      await app.queue.runNow(id);
      await app.waitFor(id, 'succeeded');
      expect(ran).toEqual(['added', '{"a":1,"b":1}']);
    });

    it.each<[string, Record<string, Work>]>([
      ['misses one', { a: () => 1, c: () => 1 }],
      ['has them in another order', { b: () => 1, a: () => 1, c: () => 1 }],
    ])('waits, visibly, while the definition %s; it is neither run nor lost', async (_, works) => {
      const { id } = await begun();
      const ran: string[] = [];
      const spied = Object.fromEntries(Object.keys(works).map((name) => [name, () => void ran.push(name)]));
      const wrong = await on.startAnother(multiStep(spied));
      const events: QueueEvent[] = [];
      wrong.queue.events$.subscribe((event) => events.push(event));
      await wrong.queue.runNow(id);
      await waitUntil(() => events.some(({ name }) => name === 'job.incompatible'));
      const job = await wrong.waitFor(id, 'scheduled');
      expect(job.lastError).toMatchObject({
        name: 'IncompatibleStepsError',
        message: expect.stringMatching(/steps of 'work' have changed.*cancel/),
      });
      expect((await wrong.app.get(QueueInspector).explain(id)).reasons).toEqual([
        { reason: 'incompatible-steps', error: job.lastError?.message, until: job.dueAt },
      ]);
      await wrong.close();
      const right = await on.startAnother(
        multiStep({ a: () => void ran.push('a'), b: () => void ran.push('b'), d: () => void ran.push('d') }),
      );
      await right.queue.runNow(id);
      await right.waitFor(id, 'succeeded');
      expect(ran).toEqual(['d']);
    });
  });

  describe('is refused at the start', () => {
    const refused = async (steps: Type) => expect(on.start(steps)).rejects;

    it('without steps, with two steps of one order or name, and with a step outside of any', async () => {
      await (await refused(multiStep({}))).toThrow(/Steps: @MultiStepJob\(\) has no steps.*@JobStep/);
      const twins = multiStep({ a: () => 1, b: [() => 1, { order: 0 }] });
      await (await refused(twins)).toThrow(/Steps\.b: @JobStep\(\) has the order of another step.*Steps\.a/);
      const namesakes = multiStep({ a: () => 1, b: [() => 1, { name: 'a' }] });
      await (await refused(namesakes)).toThrow(/name of another step/);
      class Stray {
        a(): void {}
      }
      const descriptor = Object.getOwnPropertyDescriptor(Stray.prototype, 'a') as PropertyDescriptor;
      JobStep({ order: 1 })(Stray.prototype, 'a', descriptor);
      await (await refused(Stray)).toThrow(/Stray\.a.*no multi-step job.*@MultiStepJob/);
    });

    it.each<[Partial<JobStepOptions>, RegExp]>([
      [{ order: 'first' as never }, /@JobStep\(\) on Steps\.a\.order.*'first'.*Give a number/],
      [{ maxRetries: -1 }, /maxRetries/],
      [{ waitTme: 1 } as never, /waitTme.*waitTime/],
      [{ name: 'a/b' }, /slash/],
    ])('with the step options %j', async (options, message) => {
      await (await refused(multiStep({ a: [() => 1, options] }))).toThrow(message);
    });
  });
});
