import { Injectable, Logger } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { inspect as print } from 'node:util';
import type { PersistentQueueDashboardOptions, ValueSource } from '../../lib/dashboard/index.js';
import type { JobContext } from '../../lib/job/job-context.js';
import { Schedules } from '../../lib/schedule/schedules.js';
import { JobStep, MultiStepJob } from '../../lib/steps/multi-step-job.decorator.js';
import { handler } from '../support/app-fixture.js';
import { ADAPTERS, DashboardFixture, type HttpAdapter } from '../support/dashboard-fixture.js';
import { boardApi } from '../support/dashboard-paths.js';
import { databases, type TestDatabase } from '../support/databases.js';
import { LogCapture } from '../support/log-capture.js';
import { waitUntil } from '../support/wait-until.js';

const SECRET = 'the-card-number-4711';
const FAR = '0 0 1 1 *';

interface ShownJob {
  data: unknown;
  returnValue: unknown;
  progress: unknown;
}

@Injectable()
@MultiStepJob('steps')
class Steps {
  @JobStep({ order: 1 })
  charge(order: { charged?: string }): string {
    order.charged = SECRET;
    return SECRET;
  }
}

const work = handler('work', (_: unknown, job: JobContext) => {
  job.progress({ at: SECRET });
  return { result: SECRET };
});
/** Waits for its time with all that it has told. */
const again = handler(
  'again',
  (_: unknown, job: JobContext) => {
    job.progress(SECRET);
    throw new Error('it broke');
  },
  { waitTime: '1h' },
);

const sqlite = databases().find(({ name }) => name === 'sqlite') as TestDatabase;

describe.each(ADAPTERS)('payloads on the dashboard, on %s', (adapter) => {
  const site = new DashboardFixture(sqlite);

  /** Jobs in each state, all of which carry the secret wherever a job can. */
  const start = async (dashboard: Partial<PersistentQueueDashboardOptions> = {}, http: HttpAdapter = adapter) => {
    const app = await site.start({
      adapter: http,
      providers: [work, again, Steps],
      dashboard: { open: true, readOnly: false, ...dashboard },
    });
    const { queue } = app;
    const payload = { card: SECRET };
    const ids = {
      work: (await queue.enqueue('work', payload)).id,
      again: (await queue.enqueue('again', payload)).id,
      steps: (await queue.enqueue('steps', payload)).id,
      waiting: (await queue.enqueue('waiting', payload)).id,
    };
    await app.waitFor(ids.work, 'succeeded');
    await app.waitFor(ids.steps, 'succeeded');
    await waitUntil(async () => (await queue.get(ids.again))?.progress);
    const later = { spec: FAR, type: 'work', payload, extra: payload };
    await app.app.get(Schedules).upsert('yearly', later);
    return { app, queue, ids };
  };
  const job = async (type: string, id: string) =>
    ((await site.get(`/queues/api/queues/${type}/${id}`)).json as { job: ShownJob }).job;

  it('are in no answer of any route by default, nor are results, progress and what steps have saved', async () => {
    const { queue, ids } = await start();
    const lists = Object.keys(ids).map((type) => ({ method: 'GET', path: `/api/queues?activeQueue=${type}` }));
    const inspect = Object.values(ids).map((id) => ({ method: 'GET', path: `/inspect/api/jobs/${id}` }));
    const others = ['/inspect/api/schedules', '/inspect/api/types', '/api/job-schedulers', '/queue/work'];
    const routes = Object.entries(ids).flatMap(([type, id]) => boardApi(type, id, 'yearly'));
    // What reads comes first: what removes would leave nothing to be read.
    const reads = [...routes.filter(({ method }) => method === 'GET'), ...lists, ...inspect];
    const writes = routes.filter(({ method }) => method !== 'GET');
    for (const { method, path } of [...reads, ...others.map((each) => ({ method: 'GET', path: each })), ...writes]) {
      const { text, headers } = await site.ask(
        method,
        `/queues${path}`,
        method === 'GET' ? {} : { body: { name: 'x', every: 5_000, data: SECRET } },
      );
      expect([method, path, text.includes(SECRET)]).toEqual([method, path, false]);
      expect([path, JSON.stringify([...headers]).includes(SECRET)]).toEqual([path, false]);
    }
    expect((await queue.find()).jobs.some(({ payload }) => payload === SECRET)).toBe(true);
  });

  it('say how they are shown', async () => {
    const { ids } = await start();
    const hidden = expect.stringMatching(/Hidden.*payloads: 'shown'/);
    expect(await job('work', ids.work)).toMatchObject({ data: hidden, returnValue: hidden, progress: hidden });
    expect(await job('waiting', ids.waiting)).toMatchObject({ data: hidden, returnValue: null, progress: 0 });
  });

  it('are not in the log when the database refuses them', async () => {
    const { app } = await start();
    const capture = new LogCapture();
    Logger.overrideLogger(capture);
    await app.dataSource.query(
      "CREATE TRIGGER refuse BEFORE INSERT ON pq_job BEGIN SELECT RAISE(ABORT, 'the table refuses'); END",
    );
    const body = { data: { card: SECRET }, options: {} };
    const { status, text } = await site.ask('POST', '/queues/api/queues/waiting/add', { body });
    await app.dataSource.query('DROP TRIGGER refuse');
    Logger.overrideLogger(false);
    expect([status, text.includes(SECRET)]).toEqual([500, false]);
    const logged = print(capture.entries, { depth: 10 });
    expect(logged).toContain('the table refuses');
    expect(logged).not.toContain(SECRET);
  });

  it('are not enqueued as the text that stands in their place, when somebody duplicates a job', async () => {
    const { queue, ids } = await start();
    const { data } = await job('waiting', ids.waiting);
    const { status, json } = await site.ask('POST', '/queues/api/queues/waiting/add', { body: { data, options: {} } });
    expect([status, json]).toEqual([400, expect.objectContaining({ message: expect.stringMatching(/was hidden/) })]);
    expect((await queue.find({ type: 'waiting' })).jobs).toHaveLength(1);
  });

  it('are shown when that is said', async () => {
    const { ids } = await start({ payloads: 'shown' });
    expect(await job('work', ids.work)).toMatchObject({
      data: { card: SECRET },
      returnValue: { result: SECRET },
      progress: { at: SECRET },
    });
    const { schedulers } = (await site.get('/queues/api/job-schedulers')).json as { schedulers: object[] };
    expect(schedulers).toMatchObject([{ template: { data: { card: SECRET } } }]);
  });

  it('are shown as redact() answers them, which is told what they are of', async () => {
    const sources: ValueSource[] = [];
    const { ids } = await start({
      payloads: 'shown',
      redact: (value, source) => {
        sources.push(source);
        return JSON.parse(JSON.stringify(value).replaceAll(SECRET, '****'));
      },
    });
    expect(await job('work', ids.work)).toMatchObject({
      data: { card: '****' },
      returnValue: { result: '****' },
      progress: { at: '****' },
    });
    expect(sources).toEqual(['progress', 'payload', 'result'].map((field) => ({ id: ids.work, type: 'work', field })));
    expect((await site.get('/queues/api/job-schedulers')).text).not.toContain(SECRET);
    expect(sources.at(-1)).toEqual({ id: 'yearly', type: 'work', field: 'payload' });
  });

  it.each<[string, PersistentQueueDashboardOptions['redact']]>([
    [
      'throws',
      () => {
        throw new Error(`no idea what ${SECRET} is`);
      },
    ],
    ['answers what JSON cannot carry', () => 1n],
    ['answers a promise', (value) => Promise.resolve(value)],
    ['answers a promise that is rejected', () => Promise.reject(new Error(`no idea what ${SECRET} is`))],
    [
      'answers something circular',
      () => {
        const circle: { self?: unknown } = {};
        circle.self = circle;
        return circle;
      },
    ],
  ])('are hidden when redact() %s, and the page goes on', async (_, redact) => {
    const { ids } = await start({ payloads: 'shown', ...(redact === undefined ? {} : { redact }) });
    const { status, text } = await site.get('/queues/api/queues?activeQueue=work');
    expect([status, text.includes(SECRET)]).toEqual([200, false]);
    expect(await job('work', ids.work)).toMatchObject({
      data: expect.stringMatching(/Hidden.*redact/),
      returnValue: expect.stringMatching(/Hidden/),
    });
  });

  it('that are scripts, as well as types and errors that are, leave the server as data and never as a page', async () => {
    const script = '</script><script>alert(1)</script><img src=x onerror=alert(1)>';
    const app = await site.start({
      adapter,
      providers: [
        handler(
          script,
          () => {
            throw new Error(script);
          },
          { maxRetries: 0 },
        ),
      ],
      dashboard: { open: true, payloads: 'shown' },
    });
    const { id } = await app.queue.enqueue(script, { script }, { reference: script });
    await app.waitFor(id, 'failed');
    const type = encodeURIComponent(script);
    for (const path of ['', `/queue/${type}`, `/queue/${type}/${id}`, `/?x=${type}`]) {
      const { text, headers } = await site.get(`/queues${path}`);
      expect([path, text.includes('alert(1)')]).toEqual([path, false]);
      expect(headers.get('content-type')).toMatch(/^text\/html/);
    }
    for (const path of [
      `/api/queues?activeQueue=${type}`,
      `/api/queues/${type}/${id}`,
      `/api/queues/${type}/${id}/logs`,
      `/nothing/${type}`,
    ]) {
      const { headers } = await site.get(`/queues${path}`);
      expect(headers.get('content-type')).toMatch(/^application\/json/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
    expect((await site.get(`/queues/api/queues/${type}/${id}`)).json).toMatchObject({
      job: { name: script, failedReason: `Error: ${script}`, data: { script } },
    });
  });
});
