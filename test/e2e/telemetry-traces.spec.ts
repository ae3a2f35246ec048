import { Body, Controller, Post } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { JobQueue, type JobContext } from '../../lib/index.js';
import { PersistentQueueTelemetryModule } from '../../lib/telemetry/index.js';
import { AppFixture, compileApp, handler, startApp, type AppOptions } from '../support/app-fixture.js';
import { databases, type TestSchema } from '../support/databases.js';
import { ProcessSpans, traceRequests, withContexts } from '../support/spans.js';
import { waitUntil } from '../support/wait-until.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
const PAYLOAD = { secret: 'a payload that nobody else may see' };

@Controller('orders')
class Orders {
  constructor(private readonly queue: JobQueue) {}

  @Post()
  create(@Body() order: object): Promise<{ id: string }> {
    return this.queue.transaction(async () => this.queue.enqueue('order.notify', order, { reference: '4711' }));
  }
}

/** Fails the first time, and has a step before that. */
async function notify(_: unknown, job: JobContext): Promise<string> {
  await job.step('charge 4711', () => void trace.getActiveSpan()?.setAttribute('charged', true));
  trace.getActiveSpan()?.setAttribute('handled', job.attempt);
  if (job.attempt === 1) throw new RangeError('the mail server is away');
  return 'sent';
}

describe.each(databases())('spans of jobs on $name', (database) => {
  let schema: TestSchema;
  const fixtures: AppFixture[] = [];
  let services = 0;
  withContexts();
  beforeAll(async () => {
    schema = await database.create();
  });
  afterEach(async () => {
    for (const fixture of fixtures.splice(0)) await fixture.close();
  });
  afterAll(() => schema.drop());

  const traced = ({ tracerProvider }: ProcessSpans, queue = {}): AppOptions => ({
    queue: { serviceName: `service-${services}`, ...queue },
    imports: [PersistentQueueTelemetryModule.forRoot({ traces: { tracerProvider } })],
  });

  async function start(options: AppOptions): Promise<AppFixture> {
    const fixture = await startApp(schema, options);
    fixtures.push(fixture);
    return fixture;
  }

  async function listen(spans: ProcessSpans, options: AppOptions): Promise<string> {
    const module = await compileApp(schema, { ...options, controllers: [Orders] });
    const app = module.createNestApplication(new ExpressAdapter());
    fixtures.push(new AppFixture(app));
    app.use(traceRequests(spans));
    await app.listen(0, '127.0.0.1');
    return app.getUrl();
  }

  const parentOf = ({ parentSpanContext }: ReadableSpan) => parentSpanContext?.spanId;
  const idOf = (span: ReadableSpan) => span.spanContext().spanId;

  it('are one trace from the request through the enqueue to both attempts and the step', async () => {
    services++;
    const [api, work] = [new ProcessSpans(), new ProcessSpans()];
    const worker = await start({
      ...traced(work),
      providers: [handler('order.notify', notify, { maxRetries: 1, waitTime: 1 })],
    });
    const url = await listen(api, traced(api, { roles: ['enqueue'] }));
    const response = await fetch(`${url}/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', traceparent: `00-${TRACE}-${CALLER}-01` },
      body: JSON.stringify(PAYLOAD),
    });
    const { id } = (await response.json()) as { id: string };
    await worker.waitFor(id, 'succeeded');
    await waitUntil(() => work.named('process order.notify').length === 2 && api.named('POST /orders').length === 1);

    const [request, enqueue] = [api.one('POST /orders'), api.one('enqueue order.notify')];
    const [first, second] = work.named('process order.notify') as [ReadableSpan, ReadableSpan];
    const step = work.one('step order.notify');
    const all = [...api.all, ...work.all];
    expect(all.map((span) => span.spanContext().traceId)).toEqual(all.map(() => TRACE));
    expect(parentOf(request)).toBe(CALLER);
    expect(parentOf(enqueue)).toBe(idOf(request));
    expect([first, second].map(parentOf)).toEqual([idOf(enqueue), idOf(enqueue)]);
    expect([first, second].map(({ links }) => links.map((link) => link.context.spanId))).toEqual([
      [idOf(enqueue)],
      [idOf(enqueue)],
    ]);
    expect(parentOf(step)).toBe(idOf(first));
    expect((await worker.queue.get(id))?.traceId).toBe(`00-${TRACE}-${idOf(enqueue)}-01`);

    expect(enqueue.kind).toBe(SpanKind.PRODUCER);
    expect(enqueue.attributes).toMatchObject({
      'messaging.system': 'persistent_queue',
      'messaging.operation.name': 'enqueue',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'order.notify',
      'messaging.message.id': id,
      'persistent_queue.service': `service-${services}`,
    });
    expect(first.kind).toBe(SpanKind.CONSUMER);
    expect(first.attributes).toEqual({
      'messaging.system': 'persistent_queue',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': 'order.notify',
      'messaging.message.id': id,
      'messaging.client.id': (await worker.queue.history(id))[0]?.node,
      'persistent_queue.service': `service-${services}`,
      'persistent_queue.attempt': 1,
      'persistent_queue.outcome': 'retried',
      'persistent_queue.reason': 'error',
      'error.type': 'RangeError',
      handled: 1,
    });
    expect(first.status).toEqual({ code: SpanStatusCode.ERROR, message: 'the mail server is away' });
    expect(first.events).toMatchObject([
      {
        name: 'exception',
        attributes: {
          'exception.type': 'RangeError',
          'exception.message': 'the mail server is away',
          'exception.stacktrace': expect.stringContaining('telemetry-traces.spec'),
        },
      },
    ]);
    expect(second.attributes).toMatchObject({ 'persistent_queue.attempt': 2, 'persistent_queue.outcome': 'succeeded' });
    expect(second).toMatchObject({ status: { code: SpanStatusCode.UNSET }, events: [] });
    expect(step.attributes).toMatchObject({ 'persistent_queue.step.name': 'charge 4711', charged: true });
    const told = JSON.stringify(all.map(({ attributes, events, status }) => ({ attributes, events, status })));
    expect(told).not.toContain(PAYLOAD.secret);
  });
});
