import { Logger } from '@nestjs/common';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { QueryFailedError } from 'typeorm';
import { inspect } from 'node:util';
import { BoardFacts } from '../../lib/dashboard/board/board-facts.js';
import { JobPages } from '../../lib/dashboard/board/job-pages.js';
import { DashboardReads } from '../../lib/dashboard/dashboard-reads.js';
import { readDashboardOptions } from '../../lib/dashboard/read-dashboard-options.js';
import type { PersistentQueueDashboardOptions } from '../../lib/dashboard/dashboard-options.js';
import { InspectPage } from '../../lib/dashboard/inspect/inspect-page.js';
import { PayloadView } from '../../lib/dashboard/payload-view.js';
import type { Schedule } from '../../lib/job/schedule.js';
import { ResolvedOptions } from '../../lib/options/resolved-options.js';
import { BUSY_RETRY } from '../../lib/typeorm/busy-retry.js';
import { retryRolledBack } from '../../lib/typeorm/retry-rolled-back.js';
import { stateOf } from '../../lib/dashboard/inspect/schedule-states.js';
import { QueueInspector } from '../../lib/inspection/queue-inspector.js';
import { Schedules } from '../../lib/schedule/schedules.js';
import { handler, type AppFixture } from '../support/app-fixture.js';
import { LogCapture } from '../support/log-capture.js';
import { NestFixture } from '../support/nest-fixture.js';
import { waitUntil } from '../support/wait-until.js';

const SECRET = 'swordfish';
const fail = () => {
  throw new RangeError('the card terminal does not answer');
};

describe("the dashboard's own page", () => {
  const on = new NestFixture();
  let app: AppFixture;

  beforeEach(async () => {
    app = await on.start({
      providers: [
        handler('pay', fail, { maxRetries: 0 }),
        handler('note', (payload: object, job) => {
          job.log('noted');
          return payload;
        }),
        handler('step', async (_, job) => job.step('charge', () => ({ token: SECRET }))),
      ],
    });
  });

  function page(options: PersistentQueueDashboardOptions = {}): InspectPage {
    const resolved = readDashboardOptions({ open: true, ...options });
    const { app: nest } = app;
    const [inspector, schedules] = [nest.get(QueueInspector), nest.get(Schedules)];
    const reads = new DashboardReads();
    const facts = new BoardFacts(app.queue, inspector, schedules, new JobPages(app.queue, reads), reads);
    const payloads = new PayloadView(resolved);
    return new InspectPage(app.queue, inspector, schedules, facts, reads, payloads, resolved);
  }

  async function ask(path: string, { method = 'GET', on: shown = page() } = {}) {
    const [below = '', search] = path.split('?');
    const query = new URLSearchParams(search);
    const request = { method, path: `/inspect${below}`, query };
    const answer = await shown.handle(request);
    const { status, type, body } = answer ?? { status: 404, type: '', body: '' };
    return {
      status,
      type,
      text: body.toString(),
      json: type.includes('json') ? JSON.parse(body.toString()) : undefined,
    };
  }

  it('is there with its files, and with nothing inline that its policy would forbid', async () => {
    const { status, type, text } = await ask('');
    expect([status, type]).toEqual([200, 'text/html; charset=utf-8']);
    expect(text).not.toMatch(/<style|style=|<script(?![^>]*src=)[^>]*>|\son\w+=/);
    const files = [...text.matchAll(/(?:src|href)="(?:inspect\/)(assets[^"]+)"/g)].map(([, file]) => file);
    expect(files).toEqual(['assets/inspect.css', 'assets/inspect.js']);
    for (const file of files) expect((await ask(`/${file}`)).status).toBe(200);
  });

  it('has every module that another one imports', async () => {
    const seen = new Set<string>();
    const visit = async (name: string): Promise<void> => {
      if (seen.has(name)) return;
      seen.add(name);
      const { status, type, text } = await ask(`/assets/${name}`);
      expect([name, status, type]).toEqual([name, 200, 'text/javascript; charset=utf-8']);
      for (const [, next = ''] of text.matchAll(/from '\.\/([^']+)'/g)) await visit(next);
    };
    await visit('inspect.js');
    expect(seen.size).toBeGreaterThan(4);
  });

  it('finds its files with a slash at its end too, as some proxies send it', async () => {
    expect((await ask('/')).text).toContain('src="assets/inspect.js"');
    expect((await ask('/')).text).toContain('href="../"');
  });

  it.each(['/assets/../inspect-page.js', '/assets/%2e%2e%2finspect-page.ts', '/assets/inspect.html', '/other'])(
    'knows no %s',
    async (path) => {
      expect((await ask(path)).status).toBe(404);
    },
  );

  it('tells why a job is not running, what to do, and how its attempts ended', async () => {
    const { id } = await app.queue.enqueue('pay', {}, { key: 'pay-1', reference: 'A-1' });
    await app.waitFor(id, 'failed');
    const { status, json } = await ask(`/api/jobs/${id}`);
    expect(status).toBe(200);
    expect(json).toMatchObject({
      job: { id, type: 'pay', state: 'failed', key: 'pay-1', reference: 'A-1' },
      reasons: [{ reason: 'ended', sentence: expect.any(String), advice: expect.any(String), action: 'retry' }],
      actions: ['retry'],
      attempts: [{ outcome: 'failed', error: { name: 'RangeError', stack: expect.stringContaining('inspect-page') } }],
    });
  });

  it('finds jobs by key, by reference and by type', async () => {
    const { id } = await app.queue.enqueue('pay', {}, { key: 'pay-1', reference: 'A-1' });
    await app.queue.enqueue('note', {}, { key: 'note-1', reference: 'A-2' });
    for (const query of ['key=pay-1', 'reference=A-1', 'type=pay', 'type=pay&key=pay-1']) {
      expect((await ask(`/api/jobs?${query}`)).json).toMatchObject({ jobs: [{ id }], more: false });
    }
    expect((await ask('/api/jobs?key=none')).json.jobs).toEqual([]);
  });

  it('shows nodes, locks, types and what is due', async () => {
    await app.queue.pause('pay');
    const { id } = await app.queue.enqueue('nobody', {});
    await waitUntil(async () => (await ask('/api/nodes')).json.nodes.length > 0);
    expect((await ask('/api/nodes')).json.nodes).toMatchObject([{ state: 'alive', concurrency: 100 }]);
    expect((await ask('/api/locks')).json.locks).toEqual([]);
    expect((await ask('/api/due')).json.due).toContainEqual(expect.objectContaining({ type: 'nobody', id }));
    const { types } = (await ask('/api/types')).json;
    expect(types).toContainEqual(expect.objectContaining({ type: 'pay', paused: true, unhandled: false, nodes: 1 }));
    expect(types).toContainEqual(
      expect.objectContaining({ type: 'nobody', unhandled: true, nodes: 0, concurrency: 0 }),
    );
  });

  it('tells of each type that nobody runs, however many there are, and asks for the first when counting fails', async () => {
    const names = Array.from({ length: 25 }, (_, n) => `nobody-${n}`);
    for (const name of names) await app.queue.enqueue(name);
    await waitUntil(async () => (await ask('/api/nodes')).json.nodes.length > 0);
    const unhandled = async () =>
      (await ask('/api/types')).json.types.filter((one: { unhandled: boolean }) => one.unhandled).length;
    expect(await unhandled()).toBe(25);
    const counts = jest.spyOn(app.queue, 'counts').mockRejectedValue(new Error('it takes too long'));
    await app.queue.pause('nobody-0');
    const { types } = (await ask('/api/types')).json;
    expect(types).toContainEqual(expect.objectContaining({ type: 'nobody-0', paused: true, unhandled: true }));
    counts.mockRestore();
  });

  it('counts once for all who ask for types, and for what is on the board', async () => {
    const shown = page();
    const counts = jest.spyOn(app.queue, 'counts');
    await Promise.all(Array.from({ length: 5 }, () => ask('/api/types', { on: shown })));
    expect(counts).toHaveBeenCalledTimes(1);
    counts.mockRestore();
  });

  it('shows how schedules do', async () => {
    const schedules = app.app.get(Schedules);
    await schedules.upsert('nightly', { spec: '0 3 * * *', type: 'note', payload: { SECRET } });
    await schedules.upsert('off', { spec: '0 3 * * *', type: 'note', enabled: false });
    const { json, text } = await ask('/api/schedules');
    expect(json.schedules).toMatchObject([
      { name: 'nightly', state: 'on time' },
      { name: 'off', state: 'disabled' },
    ]);
    expect(text).not.toContain('payload');
  });

  it('calls a schedule late when none of its jobs has succeeded for too long', async () => {
    const schedules = app.app.get(Schedules);
    await schedules.upsert('fails', { spec: '0 3 * * *', type: 'pay', alertAfter: 1 });
    await schedules.upsert('succeeds', { spec: '0 3 * * *', type: 'note', alertAfter: '1h' });
    for (const name of ['fails', 'succeeds']) {
      const { id } = await schedules.runNow(name);
      await app.waitFor(id, 'failed', 'succeeded');
    }
    const stateShown = async (name: string) => {
      const { json } = await ask('/api/schedules');
      return json.schedules.find((schedule: { name: string }) => schedule.name === name).state;
    };
    await waitUntil(async () => (await stateShown('fails')) === 'late');
    expect(await stateShown('succeeds')).toBe('on time');
  });

  it('calls a schedule late when its time has passed by more than a minute', async () => {
    const schedules = app.app.get(Schedules);
    await schedules.upsert('nightly', { spec: '0 3 * * *', type: 'note' });
    const schedule = await waitUntil(async () => (await schedules.list()).find(({ nextFireAt }) => nextFireAt));
    const next = schedule?.nextFireAt?.getTime() ?? 0;
    const stateAt = (now: number) => stateOf(schedule as Schedule, () => Promise.resolve([]), now);
    expect([await stateAt(next + 59_000), await stateAt(next + 61_000)]).toEqual(['on time', 'late']);
  });

  it('calls a schedule broken that plain SQL has broken', async () => {
    const sql = "INSERT INTO pq_schedule (service, name, spec, type) VALUES (?, 'broken', 'whenever', 'note')";
    const service = app.app.get(ResolvedOptions).serviceName;
    await retryRolledBack(BUSY_RETRY, () => app.dataSource.query(sql, [service]));
    await app.app.get(Schedules).enable('broken');
    await waitUntil(async () => (await ask('/api/schedules')).json.schedules[0].state === 'broken');
  });

  it('retries, cancels and runs jobs now', async () => {
    const failed = await app.queue.enqueue('pay', {});
    const later = await app.queue.enqueueAt('note', {}, new Date(Date.now() + 3_600_000));
    await app.waitFor(failed.id, 'failed');
    expect(await ask(`/api/jobs/${failed.id}/retry`, { method: 'POST' })).toMatchObject({ status: 200 });
    await waitUntil(async () => (await app.queue.history(failed.id)).length === 2);
    expect(await ask(`/api/jobs/${later.id}/run-now`, { method: 'POST' })).toMatchObject({ status: 200 });
    await app.waitFor(later.id, 'succeeded');
    const another = await app.queue.enqueueAt('note', {}, new Date(Date.now() + 3_600_000));
    expect(await ask(`/api/jobs/${another.id}/cancel`, { method: 'POST' })).toMatchObject({ status: 200 });
    await app.waitFor(another.id, 'cancelled');
  });

  it.each(['pay', 'a/b', 'ä b?c=d%'])('pauses and resumes the type %s', async (type) => {
    const path = `/api/types/${encodeURIComponent(type)}`;
    expect(await ask(`${path}/pause`, { method: 'POST' })).toMatchObject({ status: 200, json: { type } });
    expect(await app.app.get(QueueInspector).pausedTypes()).toEqual([type]);
    expect(await ask(`${path}/resume`, { method: 'POST' })).toMatchObject({ status: 200, json: { type } });
    expect(await app.app.get(QueueInspector).pausedTypes()).toEqual([]);
  });

  it.each([
    ['GET', '/api/jobs/999999', 404, 'JobNotFoundError'],
    ['GET', '/api/jobs/not-an-id', 404, 'JobNotFoundError'],
    ['POST', '/api/jobs/999999/retry', 404, 'JobNotFoundError'],
    ['POST', '/api/jobs/999999/cancel', 404, 'JobNotFoundError'],
    ['GET', '/api/jobs?key=LONG', 400, 'InvalidOptionError'],
    ['POST', '/api/types/LONG/pause', 400, 'InvalidJobError'],
    ['GET', '/api/jobs/%E0%A4%A', 400, 'URIError'],
    ['GET', '/api/types/pay/pause', 405, 'MethodNotAllowed'],
    ['POST', '/api/nodes', 405, 'MethodNotAllowed'],
  ])('answers %s %s with %i %s', async (method, path, status, error) => {
    const { json, ...answer } = await ask(path.replace('LONG', 'x'.repeat(300)), { method });
    expect([answer.status, json]).toEqual([status, { error, message: expect.stringMatching(/./) }]);
  });

  it('answers 500 when the database fails, and logs that without what the statement carried', async () => {
    const capture = new LogCapture();
    Logger.overrideLogger(capture);
    const failure = new QueryFailedError('SELECT 1', [SECRET], new Error('the disk is full'));
    const find = jest.spyOn(app.queue, 'find').mockRejectedValue(failure);
    const { status, json } = await ask('/api/jobs?type=pay');
    find.mockRestore();
    Logger.overrideLogger(false);
    expect([status, json]).toEqual([
      500,
      { error: 'InternalServerError', message: expect.stringMatching(/the log of the application says why/) },
    ]);
    const logged = inspect(capture.entries, { depth: 10 });
    expect(logged).toContain('QueryFailedError: the disk is full');
    expect(logged).not.toContain(SECRET);
  });

  it('answers 409 where the state of a job does not allow it', async () => {
    const { id } = await app.queue.enqueue('note', {});
    await app.waitFor(id, 'succeeded');
    for (const action of ['retry', 'cancel', 'run-now']) {
      const { status, json } = await ask(`/api/jobs/${id}/${action}`, { method: 'POST' });
      expect([action, status, json.error]).toEqual([action, 409, 'JobStateError']);
    }
  });

  it('lets nothing out that a job carries, unless it is told to', async () => {
    const ids = [await app.queue.enqueue('note', { SECRET: SECRET }), await app.queue.enqueue('step', { SECRET })];
    for (const { id } of ids) await app.waitFor(id, 'succeeded');
    const shown = page({ payloads: 'shown' });
    for (const { id } of ids) {
      expect((await ask(`/api/jobs/${id}`)).text).not.toContain(SECRET);
      expect((await ask(`/api/jobs/${id}`, { on: shown })).text).toContain(SECRET);
    }
    expect((await ask('/api/jobs?type=note')).text).not.toContain(SECRET);
    const redacted = page({ payloads: 'shown', redact: () => 'redacted' });
    for (const { id } of ids) expect((await ask(`/api/jobs/${id}`, { on: redacted })).text).not.toContain(SECRET);
  });
});
