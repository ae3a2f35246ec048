import { afterEach, describe, expect, it } from '@jest/globals';
import { PermanentJobError } from '../../lib/errors/permanent-job.error.js';
import { JobOutcome } from '../../lib/job/job-outcome.js';
import { defineJob } from '../../lib/queue/job-definition.js';
import { handler } from '../support/app-fixture.js';
import { closeTestedApps, testedApp } from '../support/testing-fixture.js';

const Notify = defineJob<{ orderId: number }>('order.notify');
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
});
