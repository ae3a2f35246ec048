import { Injectable } from '@nestjs/common';
import { SpanKind, trace, type SpanContext } from '@opentelemetry/api';
import { BasicTracerProvider, SimpleSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { describe, expect, it } from '@jest/globals';
import {
  JobInstrumentation,
  JobOutcome,
  JobQueue,
  JobStep,
  MultiStepJob,
  PermanentJobError,
  PersistentQueueModule,
  Schedules,
  type JobContext,
  type QueueEvent,
} from '../../lib/index.js';
import { PersistentQueueTelemetryModule } from '../../lib/telemetry/index.js';
import { handler, QUICK, type AppOptions } from '../support/app-fixture.js';
import { NestFixture } from '../support/nest-fixture.js';
import { ProcessSpans, withContexts } from '../support/spans.js';
import { deferred, waitUntil } from '../support/wait-until.js';

const GIVEN = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

@Injectable()
@MultiStepJob('order')
class OrderSteps {
  @JobStep({ order: 1 })
  charge(order: { charged?: boolean }): void {
    order.charged = true;
  }

  @JobStep({ order: 2, maxRetries: 0 })
  async send(_: object, job: JobContext): Promise<void> {
    await job.step('mail 4711', () => undefined);
    throw new PermanentJobError('no such address');
  }
}

describe('spans', () => {
  const nest = new NestFixture();
  withContexts();

  const traced = (
    { tracerProvider }: ProcessSpans,
    ...providers: NonNullable<AppOptions['providers']>
  ): AppOptions => ({
    imports: [PersistentQueueTelemetryModule.forRoot({ traces: { tracerProvider } })],
    providers,
  });
  const contextOf = (span: ReadableSpan): SpanContext => span.spanContext();
  const parentOf = ({ parentSpanContext }: ReadableSpan) => parentSpanContext?.spanId;

  it('go on from a trace context that the application gives a job, which keeps it', async () => {
    const spans = new ProcessSpans();
    await nest.start(
      traced(
        spans,
        handler('t', () => 1),
      ),
    );
    const { traceId } = await nest.run('t', {}, { traceId: GIVEN });
    const [enqueue, attempt] = [spans.one('enqueue t'), spans.one('process t')];
    expect(traceId).toBe(GIVEN);
    expect([enqueue, attempt].map(parentOf)).toEqual(['b7ad6b7169203331', 'b7ad6b7169203331']);
    // Its own context is nobody's parent.
    expect(enqueue).toMatchObject({ kind: SpanKind.CLIENT, links: [{ context: { spanId: 'b7ad6b7169203331' } }] });
  });

  it('inside of a span of the application have that as their parent, and a link to the given context', async () => {
    const spans = new ProcessSpans();
    await nest.start(
      traced(
        spans,
        handler('t', () => 1),
      ),
    );
    const own = spans.tracerProvider.getTracer('shop');
    await own.startActiveSpan('order', async (order) => {
      await nest.run('t', {}, { traceId: GIVEN });
      await nest.run('t');
      order.end();
    });
    const order = contextOf(spans.one('order')).spanId;
    const [given, plain] = spans.named('enqueue t') as [ReadableSpan, ReadableSpan];
    expect([given, plain].map(parentOf)).toEqual([order, order]);
    expect(given.links).toMatchObject([{ context: { spanId: 'b7ad6b7169203331' } }]);
    expect(spans.named('process t').map(parentOf)).toEqual(['b7ad6b7169203331', contextOf(plain).spanId]);
  });

  it('have any other trace id as an attribute, and each attempt is a trace of its own', async () => {
    const spans = new ProcessSpans();
    await nest.start(
      traced(
        spans,
        handler('t', () => 1),
      ),
    );
    const ids = ['request 4711', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`, `ff-${GIVEN.slice(3)}`, `${GIVEN}-more`];
    for (const traceId of ids) expect(await nest.run('t', {}, { traceId })).toMatchObject({ traceId });
    const attempts = spans.named('process t');
    expect(attempts.map(({ attributes }) => attributes['persistent_queue.trace_id'])).toEqual(ids);
    expect(attempts.map(parentOf)).toEqual(ids.map(() => undefined));
  });

  it('of many jobs that are enqueued at once begin with one', async () => {
    const spans = new ProcessSpans();
    const { queue } = await nest.start(
      traced(
        spans,
        handler('t', () => 1),
      ),
    );
    const jobs = await queue.enqueueMany('t', [{ payload: 1 }, { payload: 2, traceId: GIVEN }, { payload: 3 }]);
    await Promise.all(jobs.map(({ id }) => nest.ended(id)));
    await waitUntil(() => spans.named('process t').length === 3);
    const enqueue = spans.one('enqueue t');
    const own = contextOf(enqueue).spanId;
    expect(enqueue.attributes).toMatchObject({ 'messaging.batch.message_count': 3 });
    expect(enqueue.attributes).not.toHaveProperty('messaging.message.id');
    const parents = new Map(
      spans.named('process t').map((span) => [span.attributes['messaging.message.id'], parentOf(span)]),
    );
    expect(jobs.map(({ id }) => parents.get(id))).toEqual([own, 'b7ad6b7169203331', own]);
  });

  it('tell of a key that was taken, and of an enqueue that was refused', async () => {
    const spans = new ProcessSpans();
    const { queue } = await nest.start(traced(spans));
    await queue.enqueue('t', 1, { key: 'k' });
    await queue.enqueue('t', 1, { key: 'k' });
    await expect(queue.enqueue('t', 2, { key: 'k', onConflict: 'error' })).rejects.toThrow(/key/);
    const [first, second, third] = spans.named('enqueue t').map(({ attributes }) => attributes);
    expect([first, second].map((each) => each?.['persistent_queue.created'])).toEqual([true, false]);
    expect(third).toMatchObject({ 'error.type': 'KeyTakenError' });
  });

  it('of a multi-step job have one for each step that runs, and what it calls inside of it', async () => {
    const spans = new ProcessSpans();
    await nest.start(traced(spans, OrderSteps));
    await nest.run('order');
    const attempt = spans.one('process order');
    const [charge, send, call] = [spans.one('step charge'), spans.one('step send'), spans.one('step order')];
    expect([charge, send].map(parentOf)).toEqual([contextOf(attempt).spanId, contextOf(attempt).spanId]);
    expect(parentOf(call)).toBe(contextOf(send).spanId);
    expect(charge.attributes).toMatchObject({
      'messaging.destination.name': 'order',
      'persistent_queue.step.name': 'charge',
      'persistent_queue.step.kind': 'step',
      'persistent_queue.step.attempt': 1,
      'persistent_queue.outcome': 'succeeded',
    });
    expect(call.attributes).toMatchObject({ 'persistent_queue.step.name': 'send/mail 4711' });
    expect(send.attributes).toMatchObject({ 'error.type': 'PermanentJobError', 'persistent_queue.outcome': 'failed' });
    expect(attempt.attributes).toMatchObject({
      'error.type': 'PermanentJobError',
      'persistent_queue.outcome': 'failed',
    });
  });

  it('say how each attempt has ended: expired, continued, slept, lost', async () => {
    const spans = new ProcessSpans();
    const entered = deferred();
    const { queue } = await nest.start(
      traced(
        spans,
        handler('expire', () => 1),
        handler('go on', (_, job) => (job.delivery === 1 ? JobOutcome.continue({ after: 1 }) : 1)),
        handler('sleep', (_, job) => job.step('a', () => 1).then(() => job.sleep('b', 30))),
        handler('lose', async (_, job) => {
          entered.resolve();
          await waitUntil(() => job.signal.aborted);
        }),
      ),
    );
    await nest.run('expire', {}, { deadline: new Date(0) });
    await nest.run('go on');
    await nest.run('sleep');
    const { id } = await queue.enqueue('lose');
    await entered.promise;
    await queue.cancel(id);
    await waitUntil(() => spans.named('process lose').length === 1);
    const outcomes = (type: string) =>
      spans.named(`process ${type}`).map(({ attributes }) => attributes['persistent_queue.outcome']);
    expect(spans.one('process expire').attributes).toMatchObject({
      'persistent_queue.outcome': 'failed',
      'persistent_queue.reason': 'expired',
    });
    expect(outcomes('go on')).toEqual(['continued', 'succeeded']);
    expect(outcomes('sleep')).toEqual(['continued', 'succeeded']);
    expect(spans.named('step sleep')).toHaveLength(1);
    expect(outcomes('lose')).toEqual(['lost']);
  });

  it('of a schedule begin with its firing: a trace of its own, and one with who asked for it', async () => {
    const spans = new ProcessSpans();
    const { app } = await nest.start(
      traced(
        spans,
        handler('tick', () => 1),
      ),
    );
    const schedules = app.get(Schedules);
    const own = spans.tracerProvider.getTracer('shop');
    await own.startActiveSpan('button', async (button) => {
      await schedules.upsert('every second', { spec: '@every 1s', type: 'tick' });
      await waitUntil(() => spans.named('process tick').length > 0);
      await schedules.disable('every second');
      button.end();
    });
    const [fired] = spans.named('enqueue tick') as [ReadableSpan];
    const [attempt] = spans.named('process tick') as [ReadableSpan];
    expect(parentOf(fired)).toBeUndefined();
    expect(fired.attributes).toMatchObject({ 'persistent_queue.schedule': 'every second' });
    expect(contextOf(attempt).traceId).toBe(contextOf(fired).traceId);
    expect(parentOf(attempt)).toBe(contextOf(fired).spanId);

    const manual = await own.startActiveSpan('button', async (button) => {
      const { id } = await schedules.runNow('every second');
      button.end();
      return nest.ended(id);
    });
    const second = contextOf(spans.named('button')[1] as ReadableSpan);
    expect(manual.traceId).toContain(second.traceId);
  });

  it('are those of the module with the name, and of its own application', async () => {
    const [mine, others] = [new ProcessSpans(), new ProcessSpans()];
    const named = { ...QUICK, name: 'reports', serviceName: 'reports' };
    const { app } = await nest.start({
      modules: [
        PersistentQueueModule.forRoot({ ...QUICK, serviceName: 'orders' }),
        PersistentQueueModule.forRoot(named),
      ],
      imports: [
        PersistentQueueTelemetryModule.forRoot({ queue: 'reports', traces: { tracerProvider: mine.tracerProvider } }),
      ],
      providers: [handler('t', () => 1), handler('t', () => 1, { queue: 'reports' })],
    });
    const queues = [app.get(JobQueue), app.get<JobQueue>('JobQueue:reports')];
    await nest.start(
      traced(
        others,
        handler('t', () => 1),
      ),
    );
    await nest.run('t');
    for (const queue of queues) await queue.waitFor((await queue.enqueue('t')).id);
    const seen = ({ attributes }: ReadableSpan) => [
      attributes['persistent_queue.queue'],
      attributes['persistent_queue.service'],
    ];
    expect([mine.one('enqueue t'), mine.one('process t')].map(seen)).toEqual([
      ['reports', 'reports'],
      ['reports', 'reports'],
    ]);
    expect(seen(others.one('process t'))).toEqual([undefined, expect.stringMatching(/^service-/)]);
  });

  it('change nothing when nobody exports them, or the exporter fails', async () => {
    const exporter = {
      export: () => {
        throw new Error('no collector');
      },
      shutdown: () => Promise.reject(new Error('no collector')),
      forceFlush: () => Promise.reject(new Error('no collector')),
    };
    const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    await nest.start({
      imports: [PersistentQueueTelemetryModule.forRoot({ traces: { tracerProvider } })],
      providers: [handler('t', () => trace.getActiveSpan()?.isRecording())],
    });
    expect(await nest.run('t')).toMatchObject({ state: 'succeeded', result: true, retries: 0 });

    await nest.start({
      imports: [PersistentQueueTelemetryModule.forRoot({ traces: true })],
      providers: [handler('t', () => trace.getActiveSpan()?.isRecording())],
    });
    // The global provider, which nobody has set: there is no context to go on from.
    expect(await nest.run('t')).toMatchObject({ state: 'succeeded', result: false, traceId: undefined });
  });
});

describe('an instrument', () => {
  const nest = new NestFixture();
  const fail = (): never => {
    throw new Error('a bad day');
  };

  it.each([
    ['when something begins', { enqueue: fail, attempt: fail, step: fail }],
    ['before it runs what it looks on', observing({ run: fail })],
    ['after that', observing({ run: (work) => (void work(), fail()) })],
    ['at the end', observing({ end: fail })],
  ])('that throws %s changes nothing, and is told of', async (_, instrument) => {
    const { app, queue } = await nest.start({
      providers: [handler('t', (__, job) => job.step('a', () => 'b')), handler('bad', fail, { maxRetries: 0 })],
    });
    const events: QueueEvent[] = [];
    queue.events$.subscribe((event) => events.push(event));
    const takeOff = app.get(JobInstrumentation).use(instrument);
    expect(await nest.run('t')).toMatchObject({ state: 'succeeded', result: 'b', retries: 0, fence: 1 });
    expect(await nest.run('bad')).toMatchObject({ state: 'failed' });
    const told = events.filter(({ name }) => name === 'instrument.failed');
    expect(told[0]).toEqual({ name: 'instrument.failed', error: 'a bad day', errorName: 'Error' });
    takeOff();
    expect(app.get(JobInstrumentation).current).toBeUndefined();
  });

  it('that runs what it looks on not at all, or twice, has it run once', async () => {
    let runs = 0;
    const { app, queue } = await nest.start({ providers: [handler('t', () => ++runs)] });
    const instrumentation = app.get(JobInstrumentation);
    for (const run of [() => undefined, (work: () => unknown) => void [work(), work()]]) {
      const takeOff = instrumentation.use(observing({ run }));
      await nest.run('t');
      takeOff();
    }
    expect(runs).toBe(2);
    expect(await queue.counts()).toEqual([{ type: 't', state: 'succeeded', count: 2 }]);
  });

  it('gives jobs a trace id, unless they have one', async () => {
    const { app } = await nest.start({ providers: [handler('t', (_, job) => job.traceId)] });
    app.get(JobInstrumentation).use({ enqueue: () => ({ traceId: 'of the instrument' }) });
    expect(await nest.run('t')).toMatchObject({ result: 'of the instrument' });
    expect(await nest.run('t', {}, { traceId: 'own' })).toMatchObject({ result: 'own' });
  });
});

function observing<O extends { run?: (work: () => unknown) => void; end?: () => void }>(observation: O) {
  return { enqueue: () => observation, attempt: () => observation, step: () => observation };
}
