import { Controller, Get, Header, type INestApplication } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { JobQueue } from '../../lib/index.js';
import { PersistentQueueTelemetryModule } from '../../lib/telemetry/index.js';
import { AppFixture, compileApp, handler, type AppOptions } from '../support/app-fixture.js';
import { databases, type TestSchema } from '../support/databases.js';

/** Of a scrape: `name{labels}` → value. */
function readScrape(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

function metricsController(register: Registry) {
  @Controller('metrics')
  class Metrics {
    @Get()
    @Header('content-type', register.contentType)
    scrape(): Promise<string> {
      return register.metrics();
    }
  }
  return Metrics;
}

/** Ten succeed, three of them at the second attempt; two fail for good, four wait for their time. */
async function runMixedLoad(queue: JobQueue): Promise<void> {
  const many = (type: string, count: number) =>
    queue.enqueueMany(
      type,
      Array.from({ length: count }, () => ({ payload: null })),
    );
  const jobs = [...(await many('good', 7)), ...(await many('second', 3)), ...(await many('bad', 2))];
  for (let n = 0; n < 4; n++) await queue.enqueue('good', null, { delay: '1h' });
  await Promise.all(jobs.map(({ id }) => queue.waitFor(id)));
}

const HANDLERS = [
  handler('good', () => 1),
  handler('second', (_, { attempt }) => (attempt === 1 ? Promise.reject(new Error('not yet')) : 1), {
    maxRetries: 1,
    waitTime: 1,
  }),
  handler('bad', () => Promise.reject(new Error('never')), { maxRetries: 0 }),
];

describe.each(databases())('metrics on $name', (database) => {
  let schema: TestSchema;
  const fixtures: AppFixture[] = [];
  beforeAll(async () => {
    schema = await database.create();
  });
  afterEach(async () => {
    for (const fixture of fixtures.splice(0)) await fixture.close();
  });
  afterAll(() => schema.drop());

  async function listen(options: AppOptions): Promise<{ app: INestApplication; url: string; queue: JobQueue }> {
    const app = (await compileApp(schema, options)).createNestApplication(new ExpressAdapter());
    fixtures.push(new AppFixture(app));
    await app.listen(0, '127.0.0.1');
    return { app, url: await app.getUrl(), queue: app.get(JobQueue) };
  }

  it('scraped by Prometheus, and collected by OpenTelemetry, are the numbers of the database', async () => {
    const register = new Registry();
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
    const meterProvider = new MeterProvider({ readers: [reader] });
    const { url, queue } = await listen({
      queue: { serviceName: 'shop' },
      controllers: [metricsController(register)],
      imports: [PersistentQueueTelemetryModule.forRoot({ metrics: { meterProvider }, prometheus: { register } })],
      providers: HANDLERS,
    });
    await runMixedLoad(queue);
    await queue.pause('good');
    await queue.enqueue('nobody’s', null);
    const counts = await queue.counts();

    const response = await fetch(`${url}/metrics`);
    expect(response.status).toBe(200);
    const scraped = readScrape(await response.text());
    const value = (name: string, labels = '') =>
      scraped.get(`persistent_queue_${name}{service="shop"${labels === '' ? '' : `,${labels}`}}`);
    for (const { type, state, count } of counts)
      expect([type, state, value('jobs', `type="${type}",state="${state}"`)]).toEqual([type, state, count]);
    expect([...scraped].filter(([name]) => name.startsWith('persistent_queue_jobs{'))).toHaveLength(counts.length);
    expect(counts).toHaveLength(5);
    expect({
      enqueued: value('jobs_enqueued_total', 'type="good"'),
      started: value('attempts_started_total', 'type="second"'),
      succeeded: value('jobs_succeeded_total', 'type="second"'),
      retried: value('jobs_retried_total', 'type="second"'),
      failed: value('jobs_failed_total', 'type="bad",reason="error"'),
      notFailed: value('jobs_failed_total', 'type="good",reason="error"'),
      running: value('attempts_running', 'type="good"'),
      alive: value('nodes', 'state="alive"'),
      paused: value('type_paused', 'type="good"'),
      unhandled: value('type_unhandled', 'type="nobody’s"'),
      up: value('database_up'),
      errors: value('database_errors_total'),
      durations: value('attempt_duration_seconds_count', 'type="second",outcome="retried"'),
      waits: value('job_wait_seconds_count', 'type="good"'),
      enqueues: value('enqueue_duration_seconds_count', 'type="good",outcome="succeeded"'),
    }).toEqual({
      enqueued: 11,
      started: 6,
      succeeded: 3,
      retried: 3,
      failed: 2,
      notFailed: 0,
      running: 0,
      alive: 1,
      paused: 1,
      unhandled: 1,
      up: 1,
      errors: 0,
      durations: 3,
      waits: 7,
      enqueues: 5,
    });
    expect(value('oldest_due_age_seconds', 'type="nobody’s"')).toBeGreaterThanOrEqual(0);
    expect(value('oldest_due_age_seconds', 'type="good"')).toBe(0);

    await reader.forceFlush();
    const collected =
      exporter
        .getMetrics()
        .at(-1)
        ?.scopeMetrics.flatMap(({ metrics }) => metrics) ?? [];
    const points = (name: string) => collected.find(({ descriptor }) => descriptor.name === name)?.dataPoints ?? [];
    const jobs = points('persistent_queue.jobs').map(({ attributes, value: count }) => ({
      type: attributes['messaging.destination.name'],
      state: attributes['persistent_queue.state'],
      count,
    }));
    expect(jobs).toEqual(counts.map(({ type, state, count }) => ({ type, state, count })));
    expect(points('messaging.client.sent.messages')).toContainEqual(
      expect.objectContaining({
        value: 11,
        attributes: {
          'messaging.system': 'persistent_queue',
          'messaging.operation.name': 'enqueue',
          'messaging.destination.name': 'good',
          'persistent_queue.service': 'shop',
        },
      }),
    );
    expect(points('messaging.process.duration')).toContainEqual(
      expect.objectContaining({
        value: expect.objectContaining({ count: 3 }),
        attributes: expect.objectContaining({ 'persistent_queue.outcome': 'retried', 'error.type': 'error' }),
      }),
    );
    await meterProvider.shutdown();
  });
});

describe('a register', () => {
  let schema: TestSchema;
  beforeAll(async () => {
    schema = await (databases()[0] as ReturnType<typeof databases>[number]).create();
  });
  afterAll(() => schema.drop());

  async function start(register: Registry, serviceName: string): Promise<AppFixture> {
    const app = await compileApp(schema, {
      queue: { serviceName },
      imports: [PersistentQueueTelemetryModule.forRoot({ prometheus: { register, prefix: 'pq_' } })],
      providers: [handler('t', () => 1)],
    });
    try {
      await app.init();
      return new AppFixture(app);
    } catch (error) {
      await app.close();
      throw error;
    }
  }

  it('is shared by two applications, and has nothing of them when both have stopped', async () => {
    const register = new Registry();
    const [a, b] = [await start(register, 'a'), await start(register, 'b')];
    await a.queue.waitFor((await a.queue.enqueue('t')).id);
    const succeeded = async () => {
      const scraped = readScrape(await register.metrics());
      return ['a', 'b'].map((service) => scraped.get(`pq_jobs_succeeded_total{service="${service}",type="t"}`));
    };
    expect(await succeeded()).toEqual([1, undefined]);
    await b.queue.waitFor((await b.queue.enqueue('t')).id);
    expect(await succeeded()).toEqual([1, 1]);
    await a.close();
    expect(await succeeded()).toEqual([undefined, 1]);
    expect(await register.metrics()).not.toContain('service="a"');
    await b.close();
    expect(register.getMetricsAsArray()).toEqual([]);
  });

  it('has the numbers of the database once, when two applications of one service are in it, and durations of both', async () => {
    const register = new Registry();
    const [a, b] = [await start(register, 'same'), await start(register, 'same')];
    for (const { queue } of [a, b]) await queue.waitFor((await queue.enqueue('t')).id);
    const scrape = async () => {
      const scraped = readScrape(await register.metrics());
      const value = (name: string, labels = '') => scraped.get(`pq_${name}{service="same"${labels}}`);
      return {
        up: value('database_up'),
        jobs: value('jobs', ',type="t",state="succeeded"'),
        enqueued: value('jobs_enqueued_total', ',type="t"'),
        enqueues: value('enqueue_duration_seconds_count', ',type="t",outcome="succeeded"'),
      };
    };
    expect(await scrape()).toEqual({ up: 1, jobs: 2, enqueued: 2, enqueues: 2 });
    await a.close();
    expect(await scrape()).toEqual({ up: 1, jobs: 2, enqueued: 1, enqueues: 2 });
    await b.close();
    expect(register.getMetricsAsArray()).toEqual([]);
  });

  it('is answered while the database is away, without the numbers that nobody knows then', async () => {
    const register = new Registry();
    const fixture = await start(register, 'c');
    const repository = Reflect.get(fixture.queue, 'repository') as { counts: () => Promise<never> };
    repository.counts = () => Promise.reject(new Error('away'));
    const scraped = readScrape(await register.metrics());
    expect(scraped.get('pq_database_up{service="c"}')).toBe(0);
    expect([...scraped.keys()].filter((name) => /^pq_(jobs|nodes)\{/.test(name))).toEqual([]);
    expect(readScrape(await register.metrics()).get('pq_database_errors_total{service="c"}')).toBe(1);
    await fixture.close();
  });

  it('that has a metric of that name already is refused', async () => {
    const register = new Registry();
    register.registerMetric({ name: 'pq_jobs' } as never);
    await expect(start(register, 'd')).rejects.toThrow(/prometheus\.prefix.*pq_jobs.*another prefix/);
    // What had been started before that.
    expect(register.getMetricsAsArray().map(({ name }) => name)).toEqual(['pq_jobs']);
  });
});
