import { afterEach, describe, expect, it, jest } from '@jest/globals';
import {
  Injectable,
  Scope,
  UseGuards,
  UseInterceptors,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { EndlessDrainError } from '../../lib/errors/endless-drain.error.js';
import { NotTestingError } from '../../lib/errors/not-testing.error.js';
import { PermanentJobError } from '../../lib/errors/permanent-job.error.js';
import type { JobContext } from '../../lib/job/job-context.js';
import { JobOutcome } from '../../lib/job/job-outcome.js';
import { defineJob } from '../../lib/queue/job-definition.js';
import type { JobQueue } from '../../lib/queue/job-queue.js';
import { PersistentQueueModule } from '../../lib/persistent-queue.module.js';
import { JobSchedule } from '../../lib/schedule/job-schedule.decorator.js';
import { JobStep, MultiStepJob } from '../../lib/steps/multi-step-job.decorator.js';
import { testQueue, usePersistentQueueTesting } from '../../lib/testing/index.js';
import { handler } from '../support/app-fixture.js';
import { closeTestedApps, testedApp } from '../support/testing-fixture.js';

const Notify = defineJob<{ orderId: number }>('order.notify');
@MultiStepJob('bake')
class Baking {
  private tries = 0;

  @JobStep({ order: 1 })
  knead(context: { log: string[] }): void {
    context.log.push('knead');
  }

  @JobStep({ order: 2, waitTime: '5m' })
  bake(context: { log: string[] }): void {
    if (++this.tries < 2) throw new Error('no oven');
    context.log.push(`bake ${this.tries}`);
  }
}

const HOUR = 3_600_000;
const NOON = new Date('2030-01-01T12:00:00Z');

afterEach(closeTestedApps);

describe('a job under test', () => {
  it('runs when it is told to, and not before', async () => {
    const seen: unknown[] = [];
    const notify = handler('order.notify', (payload: { orderId: number }) => {
      seen.push(payload);
      return 'sent';
    });
    const { queue, jobQueue } = await testedApp({ providers: [notify] });
    const { id } = await jobQueue.enqueue(Notify, { orderId: 7 });
    expect(seen).toEqual([]);
    expect(await queue.drain()).toBe(1);
    expect(seen).toEqual([{ orderId: 7 }]);
    expect(await jobQueue.get(id)).toMatchObject({ state: 'succeeded', result: 'sent' });
    expect(await queue.history(id)).toMatchObject([{ attempt: 1, outcome: 'succeeded' }]);
    expect(await queue.drain()).toBe(0);
  });

  it('is retried by the clock of the test, as often as its options say', async () => {
    let calls = 0;
    const work = () => {
      calls++;
      throw new Error(`no ${calls}`);
    };
    const { queue, jobQueue } = await testedApp({
      providers: [handler('t', work, { maxRetries: 2, waitTime: '3m' })],
      testing: { now: NOON },
    });
    const { id } = await jobQueue.enqueue('t');
    await queue.drain();
    expect(calls).toBe(1);
    expect(await jobQueue.get(id)).toMatchObject({ state: 'scheduled', dueAt: new Date(NOON.getTime() + 180_000) });
    queue.clock.advance('2m');
    await queue.drain();
    expect(calls).toBe(1);
    queue.clock.advance('1m');
    await queue.drain();
    expect(calls).toBe(2);
    await queue.drain({ until: '1h' });
    expect(calls).toBe(3);
    expect(await jobQueue.get(id)).toMatchObject({ state: 'failed', lastError: { message: 'no 3' } });
    expect(queue.clock.now).toEqual(new Date(NOON.getTime() + 180_000 + 3_600_000));
  });

  it('fails, continues and retries as it says itself', async () => {
    const outcomes = [
      JobOutcome.continue({ after: '1m' }),
      JobOutcome.retry({ at: new Date(NOON.getTime() + 600_000) }),
    ];
    const { queue, jobQueue } = await testedApp({
      providers: [
        handler('t', () => {
          const next = outcomes.shift();
          if (next === undefined) throw new PermanentJobError('enough');
          return next;
        }),
      ],
      testing: { now: NOON },
    });
    const { id } = await jobQueue.enqueue('t');
    await queue.drain();
    await queue.drain({ until: '1m' });
    expect((await jobQueue.get(id))?.dueAt).toEqual(new Date(NOON.getTime() + 600_000));
    await queue.drain({ until: '1h' });
    expect((await queue.history(id)).map(({ outcome }) => outcome)).toEqual(['continued', 'retried', 'failed']);
  });

  it('goes before others of its type by priority, then by due time, and is left alone while its type is paused', async () => {
    const seen: unknown[] = [];
    const { queue, jobQueue } = await testedApp({
      providers: [handler('t', (payload) => seen.push(payload)), handler('paused', () => seen.push('paused'))],
    });
    await jobQueue.enqueue('t', 'first');
    await jobQueue.enqueue('t', 'urgent', { priority: 9 });
    await jobQueue.enqueue('paused');
    await jobQueue.pause('paused');
    await jobQueue.enqueue('nobody');
    expect(await queue.runNext()).toMatchObject({ payload: 'urgent', state: 'succeeded' });
    await queue.drain();
    expect(seen).toEqual(['urgent', 'first']);
    await jobQueue.resume('paused');
    await queue.drain();
    expect(seen).toEqual(['urgent', 'first', 'paused']);
    expect((await queue.jobs()).map(({ type, state }) => `${type} ${state}`)).toContain('nobody waiting');
  });

  it('has its key to itself for its scope, and is gone with its end when it is kept for no time', async () => {
    const { queue, jobQueue } = await testedApp({ providers: [handler('t', () => 'done')] });
    const open = await jobQueue.enqueue('t', 1, { key: 'k', keyScope: 'open', retention: { succeeded: 0 } });
    expect(await jobQueue.enqueue('t', 1, { key: 'k' })).toEqual({ id: open.id, created: false });
    await queue.drain();
    expect(await jobQueue.get(open.id)).toBeUndefined();
    expect(queue.enqueued('t')).toMatchObject([{ id: open.id, state: 'succeeded', key: 'k' }]);
    expect((await jobQueue.enqueue('t', 1, { key: 'k' })).created).toBe(true);
  });

  it('expires past its deadline, and may be run before its time', async () => {
    const { queue, jobQueue } = await testedApp({ providers: [handler('t', () => 'done')], testing: { now: NOON } });
    const late = await jobQueue.enqueue('t', null, { deadline: new Date(NOON.getTime() + 1_000), delay: '2s' });
    const early = await jobQueue.enqueue('t', null, { delay: '30d' });
    expect(await queue.run(early.id)).toMatchObject({ state: 'succeeded', result: 'done' });
    await queue.drain({ until: '1m' });
    expect(await queue.history(late.id)).toMatchObject([{ outcome: 'failed', reason: 'expired' }]);
    expect(await jobQueue.get(late.id)).toMatchObject({ state: 'failed' });
    await expect(queue.run(early.id)).rejects.toThrow(/cannot be run.*'succeeded'/);
    await expect(queue.run('77')).rejects.toThrow(/77/);
    const stranger = await jobQueue.enqueue('stranger');
    await expect(queue.run(stranger.id)).rejects.toThrow(/no handler here.*'stranger'/);
  });

  it('keeps its steps, and sleeps by the clock of the test', async () => {
    const trace: string[] = [];
    const work = async (_: unknown, job: JobContext) => {
      trace.push(await job.step('one', () => 'one'));
      await job.sleep('a night', '8h');
      if (trace.length < 3) throw new Error('bad dreams');
      return job.step('two', () => 'two');
    };
    const { queue, jobQueue } = await testedApp({ providers: [handler('t', work)], testing: { now: NOON } });
    const { id } = await jobQueue.enqueue('t');
    await queue.drain();
    expect((await jobQueue.get(id))?.dueAt).toEqual(new Date(NOON.getTime() + 8 * HOUR));
    await queue.drain({ until: '9h' });
    expect(await jobQueue.get(id)).toMatchObject({ state: 'succeeded', result: 'two', retries: 1 });
    expect((await jobQueue.steps(id)).steps.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'one succeeded',
      'a night succeeded',
      'two succeeded',
    ]);
  });

  it('of several steps runs to its end', async () => {
    const { queue, jobQueue } = await testedApp({ providers: [Baking] });
    const { id } = await jobQueue.enqueue('bake', { log: [] });
    await queue.drain({ until: '1h' });
    expect(await jobQueue.get(id)).toMatchObject({ state: 'succeeded', result: { log: ['knead', 'bake 2'] } });
  });

  it('of manual acknowledgement waits for it, and is handled again when it does not come', async () => {
    const deliveries: number[] = [];
    const { queue, jobQueue } = await testedApp({
      providers: [
        handler('t', (_, job: JobContext) => deliveries.push(job.delivery), { ack: 'manual', ackTimeout: '1m' }),
      ],
    });
    const { id } = await jobQueue.enqueue('t');
    await queue.drain();
    expect((await jobQueue.get(id))?.state).toBe('running');
    await queue.drain({ until: '1m' });
    expect(deliveries).toEqual([1, 2]);
    expect(await jobQueue.finish(id, { delivery: 1 })).toMatchObject({ accepted: false, reason: 'delivered again' });
    expect(await jobQueue.finish(id, { delivery: 2, result: 'ok' })).toMatchObject({ accepted: true });
    expect(await jobQueue.get(id)).toMatchObject({ state: 'succeeded', result: 'ok' });
  });

  it('that a schedule makes runs at its time', async () => {
    const times: string[] = [];
    class Clockwork {
      tick(_: unknown, job: JobContext) {
        times.push(job.dueAt.toISOString());
      }
    }
    const descriptor = Object.getOwnPropertyDescriptor(Clockwork.prototype, 'tick') as PropertyDescriptor;
    JobSchedule('0 */6 * * *', { name: 'tick' })(Clockwork.prototype, 'tick', descriptor);
    const { queue } = await testedApp({ providers: [Clockwork], testing: { now: NOON } });
    await queue.drain();
    expect(times).toEqual([]);
    expect(await queue.drain({ until: new Date(NOON.getTime() + 13 * HOUR) })).toBe(2);
    expect(times).toEqual(['2030-01-01T18:00:00.000Z', '2030-01-02T00:00:00.000Z']);
    queue.clear();
    queue.clock.set(NOON);
    expect(await queue.drain({ until: '6h' })).toBe(1);
  });
});

describe('drain()', () => {
  it('has an end where jobs have none, and says which', async () => {
    const work = () => JobOutcome.continue();
    const { queue, jobQueue } = await testedApp({ providers: [handler('endless', work)] });
    await jobQueue.enqueue('endless');
    await expect(queue.drain({ maxRuns: 50 })).rejects.toThrow(/After 50 runs .* of endless .*maxRuns/);
    await expect(queue.drain()).rejects.toThrow(EndlessDrainError);
  });

  it('throws what a handler has thrown, if it is told to', async () => {
    class Broken extends Error {}
    const work = () => {
      throw new Broken('broken');
    };
    const { queue, jobQueue } = await testedApp({ providers: [handler('t', work)], testing: { errors: 'throw' } });
    const { id } = await jobQueue.enqueue('t');
    await expect(queue.drain()).rejects.toThrow(Broken);
    expect(await jobQueue.get(id)).toMatchObject({ state: 'scheduled', retries: 1 });
    expect(await queue.drain({ until: '10s', errors: 'record' })).toBe(1);
  });

  it('refuses what it cannot mean', async () => {
    const { queue } = await testedApp({});
    await expect(queue.drain({ until: 'tomorrow' })).rejects.toThrow(/drain\(\)\.until.*'tomorrow'/);
    await expect(queue.drain({ untl: 1 } as never)).rejects.toThrow(/untl.*until/);
    expect(() => queue.clock.advance(-1)).toThrow(/clock\.advance/);
    expect(() => queue.clock.set('noon' as never)).toThrow(/valid Date/);
  });
});

describe('mode inline', () => {
  it('runs a job before its enqueue resolves; errors, delays and retries wait', async () => {
    const seen: unknown[] = [];
    const work = (payload: unknown) => {
      seen.push(payload);
      if (payload === 'bad') throw new Error('bad');
      return 'done';
    };
    const { queue, jobQueue } = await testedApp({ providers: [handler('t', work)], testing: { mode: 'inline' } });
    const { id } = await jobQueue.enqueue('t', 'good');
    expect(await jobQueue.get(id)).toMatchObject({ state: 'succeeded', result: 'done' });
    const bad = await jobQueue.enqueue('t', 'bad');
    expect((await jobQueue.get(bad.id))?.state).toBe('scheduled');
    await jobQueue.enqueue('t', 'later', { delay: '1h' });
    expect(seen).toEqual(['good', 'bad']);
    await queue.drain({ until: '1h' });
    expect(seen).toEqual(['good', 'bad', 'bad', 'bad', 'bad', 'later']);
    await jobQueue.retry(bad.id);
    expect(seen).toHaveLength(7);
  });

  it('runs jobs of jobs too, has an end, and throws if it is told to', async () => {
    const { jobQueue } = await testedApp({
      providers: [
        handler('outer', () => jobQueue.enqueue('inner')),
        handler('inner', () => 'done'),
        handler('endless', () => jobQueue.enqueue('endless')),
      ],
      testing: { mode: 'inline', errors: 'throw' },
    });
    await jobQueue.enqueue('outer');
    expect(await jobQueue.counts()).toEqual([
      { type: 'inner', state: 'succeeded', count: 1 },
      { type: 'outer', state: 'succeeded', count: 1 },
    ]);
    await expect(jobQueue.enqueue('endless')).rejects.toThrow(EndlessDrainError);
  });
});

describe('an application with several queues', () => {
  it('has a helper for each, and one for those that are not in memory is an error', async () => {
    const modules = [PersistentQueueModule.forRoot(), PersistentQueueModule.forRoot({ name: 'reports' })];
    const work = () => 'done';
    const builder = Test.createTestingModule({
      imports: modules,
      providers: [handler('t', work), handler('t', work, { queue: 'reports' })],
    });
    const app = await usePersistentQueueTesting(usePersistentQueueTesting(builder), { queue: 'reports' }).compile();
    await app.init();
    const [own, reports] = [testQueue(app), testQueue(app, 'reports')];
    const { id } = await app.get<JobQueue>('JobQueue:reports').enqueue('t');
    own.expectNotEnqueued('t');
    expect(await own.drain()).toBe(0);
    expect(await reports.drain()).toBe(1);
    expect(await app.get<JobQueue>('JobQueue:reports').get(id)).toMatchObject({ state: 'succeeded' });
    expect(() => testQueue(app, 'other')).toThrow(/not built with usePersistentQueueTesting.*'other'/);
    await app.close();
    expect(() => testQueue({ get: () => ({}) })).toThrow(NotTestingError);
    expect(() => usePersistentQueueTesting(builder, { mode: 'auto' as never })).toThrow(/'manual' or 'inline'/);
    expect(() => usePersistentQueueTesting(builder, { made: 1 } as never)).toThrow(/made.*mode/);
  });
});

describe('what is of Nest', () => {
  it('is of handlers under test as well: guards, interceptors, one instance for each job', async () => {
    const trace: string[] = [];
    @Injectable({ scope: Scope.REQUEST })
    class Guarded implements CanActivate, NestInterceptor {
      canActivate(context: ExecutionContext): boolean {
        trace.push(`guard of a ${context.getType()}`);
        return true;
      }

      intercept(_: ExecutionContext, next: CallHandler) {
        trace.push('interceptor');
        return next.handle();
      }
    }
    const scoped = handler('t', (payload) => trace.push(String(payload)));
    Injectable({ scope: Scope.REQUEST })(scoped);
    UseGuards(Guarded)(scoped);
    UseInterceptors(Guarded)(scoped);
    const { queue, jobQueue } = await testedApp({ providers: [scoped, Guarded] });
    const { id } = await jobQueue.enqueue('t', 'handler');
    await queue.drain();
    expect(await queue.history(id)).toMatchObject([{ outcome: 'succeeded' }]);
    expect(trace).toEqual(['guard of a job', 'interceptor', 'handler']);
  });

  it('goes with the clock that a framework has faked', async () => {
    jest.useFakeTimers({ now: NOON, doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    try {
      const { queue, jobQueue } = await testedApp({ providers: [handler('t', () => 'done')] });
      const { id } = await jobQueue.enqueue('t', null, { delay: '1h' });
      expect(await queue.drain()).toBe(0);
      jest.advanceTimersByTime(HOUR);
      expect(queue.clock.now).toEqual(new Date(NOON.getTime() + HOUR));
      expect(await queue.drain()).toBe(1);
      expect((await jobQueue.get(id))?.finishedAt).toEqual(new Date(NOON.getTime() + HOUR));
    } finally {
      jest.useRealTimers();
    }
  });
});
