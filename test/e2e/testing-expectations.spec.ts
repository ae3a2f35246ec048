import { AssertionError } from 'node:assert';
import { afterEach, describe, expect, it } from '@jest/globals';
import { defineJob } from '../../lib/queue/job-definition.js';
import { closeTestedApps, testedApp } from '../support/testing-fixture.js';

const Notify = defineJob<{ orderId: number; to?: string; at?: Date; tags?: string[] }>('order.notify');

afterEach(closeTestedApps);

/** What the assertion has thrown. */
function failureOf(assertion: () => unknown): AssertionError {
  try {
    assertion();
  } catch (error) {
    return error as AssertionError;
  }
  throw new Error('nothing was thrown');
}

describe('expectEnqueued()', () => {
  it('answers the first job that has all that is named, and asks for nothing else', async () => {
    const { queue, jobQueue } = await testedApp({});
    await jobQueue.enqueue(Notify, { orderId: 6 });
    const at = new Date('2030-01-01T00:00:00Z');
    const { id } = await jobQueue.enqueue(
      Notify,
      { orderId: 7, to: 'ann@example.com', at, tags: ['a', 'b'] },
      { key: 'k', delay: '3m', priority: 4, reference: 'r' },
    );
    const job = queue.expectEnqueued(Notify, { payload: { orderId: 7, at: at.toJSON(), tags: ['a', 'b'] } });
    expect(job).toMatchObject({ id, delay: 180_000, state: 'scheduled', payload: { to: 'ann@example.com' } });
    expect(queue.expectEnqueued(Notify, { key: 'k', delay: '3m', priority: 4, reference: 'r' }).id).toBe(id);
    expect(queue.expectEnqueued(Notify, { payload: { to: expect.stringContaining('@') as never } }).id).toBe(id);
    expect(queue.expectEnqueued('order.notify', { at: job.dueAt, state: 'scheduled' }).id).toBe(id);
    queue.expectEnqueued(Notify, { times: 2 });
    queue.expectNotEnqueued(Notify, { payload: { tags: ['a'] } });
    queue.expectNotEnqueued('order.ship');
  });

  it('shows the difference to the nearest job, and what was enqueued instead', async () => {
    const { queue, jobQueue } = await testedApp({});
    await jobQueue.enqueue('order.ship', { orderId: 7 });
    await jobQueue.enqueue(Notify, { orderId: 8, to: 'bob@example.com' });
    await jobQueue.enqueue(Notify, { orderId: 7, to: 'bob@example.com' }, { delay: '1m' });
    const error = failureOf(() =>
      queue.expectEnqueued(Notify, { payload: { orderId: 7, to: 'ann@example.com' }, delay: '1m' }),
    );
    expect(error).toBeInstanceOf(AssertionError);
    expect(error.message).toBe(
      [
        "Expected a job of 'order.notify' to have been enqueued with { payload: { orderId: 7, to: 'ann@example.com' }, delay: 60000 }",
        'Job 3 comes nearest to it:',
        "+ actual - expected\n\n  {\n    delay: 60000,\n    payload: {\n      orderId: 7,\n+     to: 'bob@example.com'\n-     to: 'ann@example.com'\n    }\n  }",
        [
          'Enqueued:',
          '  1  order.ship  { orderId: 7 }  waiting',
          "  2  order.notify  { orderId: 8, to: 'bob@example.com' }  waiting",
          "  3  order.notify  { orderId: 7, to: 'bob@example.com' }  scheduled, after 60000 ms",
        ].join('\n'),
      ].join('\n\n'),
    );
    expect(error.stack?.split('\n').find((line) => line.includes('at '))).toContain('testing-expectations.spec');
  });

  it('says when there are too many, too few or none at all', async () => {
    const { queue, jobQueue } = await testedApp({});
    expect(failureOf(() => queue.expectEnqueued(Notify)).message).toBe(
      "Expected a job of 'order.notify' to have been enqueued\n\nNo job was enqueued at all.",
    );
    await jobQueue.enqueue(Notify, { orderId: 1 });
    expect(failureOf(() => queue.expectEnqueued(Notify, { times: 2 })).message).toMatch(
      /^Expected 2 jobs of 'order\.notify' to have been enqueued, and there is 1\n/,
    );
    expect(failureOf(() => queue.expectEnqueued(Notify, { times: 0 })).message).toMatch(
      /^Expected 0 jobs .* there is 1/,
    );
    expect(failureOf(() => queue.expectNotEnqueued(Notify, { payload: { orderId: 1 } })).message).toBe(
      "Expected no job of 'order.notify' to have been enqueued with { payload: { orderId: 1 } }, and there is\n\n" +
        'Enqueued:\n  1  order.notify  { orderId: 1 }  waiting',
    );
    expect(() => queue.expectEnqueued(Notify, { payloed: 1 } as never)).toThrow(/payloed.*payload/);
  });

  it('lists twenty jobs at most, and cuts what is long', async () => {
    const { queue, jobQueue } = await testedApp({});
    await jobQueue.enqueueMany(
      'bulk',
      Array.from({ length: 30 }, () => ({ payload: 'x'.repeat(10_000) })),
    );
    const { message } = failureOf(() => queue.expectEnqueued(Notify));
    expect(message).toContain('… and 10 more');
    expect(message.length).toBeLessThan(6_000);
    queue.clear();
    expect(queue.enqueued()).toEqual([]);
  });
});
