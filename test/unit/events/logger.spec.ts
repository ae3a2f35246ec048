import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ConsoleLogger, Logger, type ConsoleLoggerOptions } from '@nestjs/common';
import type { QueueEvent } from '../../../lib/events/queue-event.js';
import { startLog, type StartedLog } from '../../support/log-capture.js';
import { JOB, sampleEvents } from '../../support/sample-events.js';
import { waitUntil } from '../../support/wait-until.js';

const FAILED: QueueEvent = { name: 'job.failed', job: JOB, reason: 'error', error: 'no route', errorName: 'TypeError' };
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

describe('the log', () => {
  let started: StartedLog | undefined;

  afterEach(() => {
    started?.stop();
    jest.restoreAllMocks();
    Logger.overrideLogger(false);
  });

  function told(events: QueueEvent[], ...settings: Parameters<typeof startLog>) {
    started = startLog(...settings);
    for (const event of events) started.events.emit(event);
    return started.capture;
  }

  /** What a ConsoleLogger writes to the terminal. */
  function printed(options: ConsoleLoggerOptions, ...events: QueueEvent[]): string {
    started = startLog();
    let text = '';
    const write = (chunk: unknown) => ((text += String(chunk)), true);
    jest.spyOn(process.stdout, 'write').mockImplementation(write);
    jest.spyOn(process.stderr, 'write').mockImplementation(write);
    Logger.overrideLogger(new ConsoleLogger(options));
    for (const event of events) started.events.emit(event);
    return text;
  }

  it('is one sentence on one line where Nest prints text', () => {
    const text = printed({ colors: false }, FAILED);
    expect(text).toMatch(/ ERROR \[PersistentQueue\] Job 7 \(order\.notify, attempt 2\) failed \(error\): no route\n$/);
    expect(text.trimEnd()).not.toContain('\n');
  });

  it('has the colour of its level', () => {
    expect(printed({ colors: true }, FAILED)).toContain('\u001B[31mJob 7 (order.notify, attempt 2) failed');
  });

  it('has every field where Nest prints JSON', () => {
    const events: QueueEvent[] = [{ name: 'node.registered', node: 'host:1#1' }, FAILED];
    const [, line] = printed({ json: true }, ...events)
      .trimEnd()
      .split('\n');
    expect(JSON.parse(line ?? '')).toMatchObject({
      level: 'error',
      context: 'PersistentQueue',
      message: {
        message: 'Job 7 (order.notify, attempt 2) failed (error): no route',
        event: 'job.failed',
        service: 'shop',
        node: 'host:1#1',
        jobId: '7',
        jobType: 'order.notify',
        attempt: 2,
        fence: 3,
        reason: 'error',
        errorName: 'TypeError',
        errorMessage: 'no route',
      },
    });
  });

  it('survives the redaction of Nest, which copies what it is given', () => {
    expect(printed({ colors: false, redact: ['errorMessage'] }, FAILED)).toContain('failed (error): no route');
  });

  it.each([
    ['a trace id', TRACE],
    ['a traceparent', `00-${TRACE}-00f067aa0ba902b7-01`],
  ])('names the trace of a job that was enqueued with %s', (_, traceId) => {
    const { sentences, fields } = told([{ ...FAILED, job: { ...JOB, traceId } }]);
    expect(sentences).toEqual([`Job 7 (order.notify, attempt 2, trace ${TRACE}) failed (error): no route`]);
    expect(fields).toMatchObject([{ traceId: TRACE }]);
  });

  it('names the node as long as this process is that one', () => {
    const again = { name: 'node.registered', node: 'host:1#2' } as const;
    const { fields } = told([FAILED, { name: 'node.registered', node: 'host:1#1' }, FAILED, again, FAILED]);
    const failed = fields.filter(({ event }) => event === 'job.failed');
    expect(failed.map(({ node }) => node)).toEqual([undefined, 'host:1#1', 'host:1#2']);
  });

  it.each(sampleEvents.map((event) => [event.name, event] as const))(
    'of %s is a sentence of flat fields, without undefined',
    (name, event) => {
      const { sentences, fields, entries } = told([event]);
      for (const sentence of sentences) expect(sentence).not.toMatch(/undefined|\[object|NaN/);
      for (const field of fields) expect(field['event']).toBe(name);
      const values = entries.flatMap(({ entry }) => Object.values(entry) as unknown[]);
      expect(values).not.toContain(undefined);
    },
  );

  it('leaves out what errors say, when only their names are wanted', () => {
    const events: QueueEvent[] = [FAILED, { name: 'schedule.broken', schedule: 'nightly', error: 'no route' }];
    const { sentences, fields } = told(events, { errors: 'name' });
    expect(sentences[0]).toBe('Job 7 (order.notify, attempt 2) failed (error): TypeError');
    expect(JSON.stringify([sentences, fields])).not.toContain('no route');
  });
});

describe('a line of the log', () => {
  let started: StartedLog | undefined;

  afterEach(() => {
    started?.stop();
    Logger.overrideLogger(false);
  });

  const FORGED = [
    ['a newline', '\n[Nest] 1 ERROR all is lost', '\\n[Nest] 1 ERROR all is lost'],
    ['a carriage return', '\rERROR', '\\rERROR'],
    ['a sequence that steers a terminal', '\u001B[2J\u0007', '\\u001b[2J\\u0007'],
    ['a line separator of Unicode', '\u2028\u0085x', '\\u2028\\u0085x'],
    ['text that is written backwards', '\u202Egnp', '\\u202egnp'],
  ] as const;

  it.each(FORGED)('shows %s in a job type, an error or a list, and does not do what it says', (_, text, shown) => {
    started = startLog();
    const { events, capture } = started;
    events.emit({ ...FAILED, job: { ...JOB, type: `t${text}` }, error: `e${text}`, errorName: `n${text}` });
    events.emit({ name: 'types.unhandled', types: [`u${text}`] });
    events.emit({ name: 'schedule.broken', schedule: `s${text}`, error: text });
    const everything = [...capture.sentences, ...capture.fields.flatMap((fields) => Object.values(fields).flat())];
    expect(everything.filter((value) => typeof value === 'string' && value.includes(text))).toEqual([]);
    for (const part of [`t${shown}`, `e${shown}`, `u${shown}`, `s${shown}`])
      expect(capture.sentences.join('\n')).toContain(part);
    expect(capture.fields[0]).toMatchObject({ errorName: `n${shown}`, jobType: `t${shown}` });
  });

  it('is short, whatever is in it', () => {
    started = startLog();
    const { events, capture } = started;
    const long = 'x'.repeat(1_000_000);
    events.emit({ ...FAILED, error: long, errorName: long, job: { ...JOB, type: long, traceId: long } });
    events.emit({ name: 'types.unhandled', types: Array.from({ length: 1_000 }, (_, index) => `${index}${long}`) });
    for (const { entry } of capture.entries) expect(JSON.stringify(entry).length).toBeLessThan(20_000);
  });
});

describe('a logger of the application that throws', () => {
  const uncaught: unknown[] = [];
  const remember = (error: unknown) => uncaught.push(error);
  const fail = () => {
    throw new Error('the log collector is away');
  };
  let started: StartedLog | undefined;

  beforeEach(() => void process.on('uncaughtException', remember));
  afterEach(() => {
    process.off('uncaughtException', remember);
    started?.stop();
    jest.restoreAllMocks();
    Logger.overrideLogger(false);
  });

  it.each([
    ['and its lines are on stderr', (lines: string[]) => (line: unknown) => lines.push(String(line)) > 0],
    ['not even where stderr is closed', () => fail],
  ])('ends no process, %s', async (_, write) => {
    const lines: string[] = [];
    started = startLog({ burst: 1 }, 20);
    Logger.overrideLogger({ log: fail, error: fail, warn: fail, debug: fail });
    const spy = jest.spyOn(process.stderr, 'write').mockImplementation(write(lines));
    for (let count = 0; count < 3; count++) started.events.emit(FAILED);
    await waitUntil(() => spy.mock.calls.length === 2);
    // What a subscriber throws comes back a timer later.
    await new Promise((resolve) => setTimeout(resolve));
    expect(uncaught).toEqual([]);
    if (lines.length > 0)
      expect(lines).toEqual([
        'Job 7 (order.notify, attempt 2) failed (error): no route (PersistentQueue: the logger has thrown: the log collector is away)\n',
        expect.stringContaining('… and 2 more like it'),
      ]);
  });
});

describe('a storm of events', () => {
  let started: StartedLog | undefined;

  afterEach(() => {
    started?.stop();
    Logger.overrideLogger(false);
  });

  const storm = (count: number, event = FAILED) => Array.from({ length: count }, () => event);

  function emit(events: QueueEvent[], ...settings: Parameters<typeof startLog>) {
    started = startLog(...settings);
    for (const event of events) started.events.emit(event);
    return started.capture;
  }

  it('is ten lines, and one that says how many more there were', async () => {
    const capture = emit(storm(1_000), {}, 50);
    expect(capture.entries).toHaveLength(10);
    await waitUntil(() => capture.entries.length > 10);
    expect(capture.sentences.at(-1)).toBe(
      '… and 990 more like it in the last 0.05 s: job.failed, order.notify, error, TypeError',
    );
    expect(capture.entries.at(-1)).toMatchObject({ level: 'error' });
    expect(capture.fields.at(-1)).toMatchObject({ event: 'job.failed', jobType: 'order.notify', repeated: 990 });
    expect(capture.fields.at(-1)).not.toHaveProperty('jobId');
  });

  it('begins anew after that', async () => {
    const capture = emit(storm(11), {}, 50);
    await waitUntil(() => capture.entries.length === 11);
    started?.events.emit(FAILED);
    expect(capture.sentences.at(-1)).toContain('Job 7');
  });

  it('hides no first one of another type, error, reason or event', () => {
    const others: QueueEvent[] = [
      { ...FAILED, job: { ...JOB, type: 'other' } },
      { ...FAILED, errorName: 'RangeError' },
      { ...FAILED, reason: 'timeout' },
      { name: 'job.overrun', job: JOB, timeout: 1 },
    ];
    const capture = emit([...storm(1_000), ...others]);
    expect(capture.entries).toHaveLength(14);
  });

  it('is as long as it is wanted', () => {
    expect(emit(storm(30), { burst: 20 }).entries).toHaveLength(20);
  });

  it('is told at the end, too', () => {
    const capture = emit([{ name: 'node.registered', node: 'host:1#1' }, ...storm(12)]);
    started?.stop();
    expect(capture.fields.at(-1)).toMatchObject({ service: 'shop', node: 'host:1#1', repeated: 2 });
    expect(capture.sentences.at(-1)).toContain('… and 2 more like it');
  });

  it('of names that somebody makes up needs no memory for each', () => {
    const made = Array.from({ length: 5_000 }, (_, index) => ({ ...FAILED, job: { ...JOB, type: `t${index}` } }));
    const capture = emit(made);
    expect(capture.entries).toHaveLength(1_010);
    started?.stop();
    expect(capture.sentences.at(-1)).toContain('… and 3990 more like it');
  });
});
