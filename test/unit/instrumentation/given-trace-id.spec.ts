import { describe, expect, it } from '@jest/globals';
import { QueueEvents } from '../../../lib/events/queue-events.js';
import { JobInstrumentation } from '../../../lib/instrumentation/job-instrumentation.js';
import type { EnqueueFacts } from '../../../lib/instrumentation/job-instrument.js';
import { observeEnqueue } from '../../../lib/instrumentation/observe-enqueue.js';

const ENQUEUE: EnqueueFacts = { type: 't', count: 1, traceId: undefined, schedule: undefined };

describe('a trace id that an instrument gives', () => {
  async function enqueueWith(...observations: unknown[]) {
    const events = new QueueEvents();
    const told: unknown[] = [];
    events.events$.subscribe((event) => told.push(event));
    const instrumentation = new JobInstrumentation(events);
    for (const observation of observations) instrumentation.use({ enqueue: () => observation as never });
    const insert = (traceId: string | undefined) => Promise.resolve(traceId);
    const traceId = await observeEnqueue(
      instrumentation,
      () => ENQUEUE,
      insert,
      () => [],
    );
    return { traceId, told };
  }

  it('is that of the first one that gives any', async () => {
    const observations = [{}, { traceId: null }, { traceId: 'a' }, { traceId: 'b' }];
    expect(await enqueueWith(...observations)).toEqual({ traceId: 'a', told: [] });
  });

  it.each([
    ['is longer than 255 characters', { traceId: 'x'.repeat(300) }, /The job's traceId .* at most 255 characters/],
    ['is no string', { traceId: 7 }, /7.*Give a string/],
    ['is empty', { traceId: '' }, /at least one character/],
    ['no database can store', { traceId: 'a\0b' }, /NUL/],
    [
      'cannot be read',
      {
        get traceId(): string {
          throw new Error('a bad day');
        },
      },
      /a bad day/,
    ],
  ])('and that %s is dropped and told of: the job is stored all the same', async (_, observation, error) => {
    const told = [expect.objectContaining({ name: 'instrument.failed', error: expect.stringMatching(error) })];
    expect(await enqueueWith(observation)).toEqual({ traceId: undefined, told });
    expect(await enqueueWith(observation, { traceId: 'next' })).toEqual({ traceId: 'next', told });
  });
});
