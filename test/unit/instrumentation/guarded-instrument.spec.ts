import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { QueueEvent } from '../../../lib/events/queue-event.js';
import { QueueEvents } from '../../../lib/events/queue-events.js';
import { GuardedInstrument } from '../../../lib/instrumentation/guarded-instrument.js';
import { JobInstrumentation } from '../../../lib/instrumentation/job-instrumentation.js';
import type { AttemptFacts } from '../../../lib/instrumentation/job-instrument.js';

const ATTEMPT: AttemptFacts = { id: '1', type: 't', attempt: 1, traceId: undefined, waited: 0 };
const CONCLUSION = { outcome: 'succeeded', reason: undefined, error: undefined } as const;
const BAD_DAY = new Error('a bad day');

const fail = (): never => {
  throw BAD_DAY;
};
const failLater = () => Promise.reject(BAD_DAY);

const unhandled: unknown[] = [];
const remember = (reason: unknown) => unhandled.push(reason);
beforeEach(() => void process.on('unhandledRejection', remember));
afterEach(() => {
  process.off('unhandledRejection', remember);
  expect(unhandled.splice(0)).toEqual([]);
});

describe('an instrument', () => {
  /** As code without types may write it. */
  async function attemptWith(...observations: unknown[]) {
    const told: unknown[] = [];
    const instruments = observations.map((observation) => ({ attempt: () => observation }));
    const instrument = new GuardedInstrument(instruments as never, (error) => told.push(error));
    const observation = instrument.attempt(ATTEMPT);
    const answer = await observation.run(() => Promise.resolve('done'));
    observation.end(CONCLUSION);
    await turn();
    return { answer, told };
  }

  it.each([
    ['runs', { run: failLater }],
    ['has begun the work', { run: async (work: () => unknown) => (await work(), fail()) }],
    ['ends', { end: failLater }],
  ])('that fails later, when it %s is told of, and ends no process', async (_, observation) => {
    expect(await attemptWith(observation)).toEqual({ answer: 'done', told: [BAD_DAY] });
  });

  it('that begins later is told of, when that fails', async () => {
    const told: unknown[] = [];
    const instruments = [{ attempt: failLater }, { attempt: fail }];
    new GuardedInstrument(instruments as never, (error) => told.push(error)).attempt(ATTEMPT).end(CONCLUSION);
    await turn();
    expect(told).toEqual([BAD_DAY, BAD_DAY]);
  });

  it('may throw what cannot be read', () => {
    const events = new QueueEvents();
    const told: QueueEvent[] = [];
    events.events$.subscribe((event) => told.push(event));
    const instrumentation = new JobInstrumentation(events);
    for (const unreadable of [
      Object.create(null),
      {
        stack: '',
        get message() {
          return fail();
        },
      },
    ])
      instrumentation.use({
        attempt: () => {
          throw unreadable;
        },
      });
    instrumentation.current?.attempt(ATTEMPT);
    expect(told).toMatchObject([{ name: 'instrument.failed' }, { name: 'instrument.failed' }]);
  });

  it('never has the work’s own promise, whose failure it would have to handle', async () => {
    const seen: unknown[] = [];
    const observation = { run: (work: () => unknown) => void seen.push(work()) };
    const instrument = new GuardedInstrument([{ attempt: () => observation }], fail);
    await expect(instrument.attempt(ATTEMPT).run(failLater)).rejects.toBe(BAD_DAY);
    await expect(instrument.attempt(ATTEMPT).run(fail)).rejects.toBe(BAD_DAY);
    expect(seen).toEqual([undefined, undefined]);
  });

  it.each([
    ['null', null],
    ['a number', 1],
    ['a text', 'x'],
  ])('that answers %s looks on no further', async (_, none) => {
    expect(await attemptWith(none)).toEqual({ answer: 'done', told: [] });
  });

  it.each([
    ['is no function', { run: 1 }],
    [
      'cannot be read',
      {
        get run(): never {
          return fail();
        },
      },
    ],
  ])('whose run %s is told of', async (_, observation) => {
    expect(await attemptWith(observation)).toMatchObject({ answer: 'done', told: [expect.any(Error)] });
  });

  it('that fails does not keep the others from looking on', async () => {
    const seen: string[] = [];
    const looking = { run: (work: () => unknown) => (seen.push('run'), work()), end: () => seen.push('end') };
    await attemptWith(looking, { run: fail, end: fail }, { run: failLater, end: failLater });
    expect(seen).toEqual(['run', 'end']);
  });
});
