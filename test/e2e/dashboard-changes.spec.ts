import { describe, expect, it, jest } from '@jest/globals';
import { Schedules } from '../../lib/schedule/schedules.js';
import { handler, type AppFixture } from '../support/app-fixture.js';
import { ADAPTERS, DashboardFixture, type HttpAdapter } from '../support/dashboard-fixture.js';
import { boardApi } from '../support/dashboard-paths.js';
import { databases } from '../support/databases.js';
import { deferred, waitUntil } from '../support/wait-until.js';

const API = '/queues/api/queues';
const FAR = { spec: '0 0 1 1 *', type: 'work' };

interface BoardQueue {
  name: string;
  counts: Record<string, number>;
  jobs: { id: string; name: string; failedReason: string; stacktrace: string[] }[];
  isPaused: boolean;
}

const sqlite = databases().filter(({ name }) => name === 'sqlite');
const some = databases().filter(({ name }) => name === 'sqlite' || name === 'mariadb');

/** Everything that could have changed. */
async function everythingIn(app: AppFixture): Promise<unknown> {
  const { jobs } = await app.queue.find();
  const rows = jobs.map(({ id, type, state, payload, dueAt }) => ({ id, type, state, payload, dueAt }));
  const paused = await app.dataSource.query('SELECT type FROM pq_pause');
  return { rows, paused, schedules: await app.app.get(Schedules).list() };
}

/** One failed, one waiting, one scheduled, one succeeded job, and a schedule. */
async function seed(app: AppFixture) {
  const { id: failed } = await app.queue.enqueue('work', { fails: true });
  const { id: succeeded } = await app.queue.enqueue('work', {});
  await app.waitFor(failed, 'failed');
  await app.waitFor(succeeded, 'succeeded');
  const { id: later } = await app.queue.enqueue('work', {}, { delay: '1h' });
  const { id: waiting } = await app.queue.enqueue('nobody', {});
  const schedules = app.app.get(Schedules);
  await schedules.upsert('yearly', FAR);
  await waitUntil(async () => (await schedules.get('yearly'))?.nextFireAt);
  return { failed, succeeded, later, waiting };
}

const failing = (broken: { value: boolean }) =>
  handler(
    'work',
    ({ fails }: { fails?: boolean }) => {
      if (fails === true && broken.value) throw new Error('it broke');
    },
    { maxRetries: 0 },
  );

/** Whatever a page of another site can make a browser send, with what the browser says about it. */
const FORGED: Record<string, Record<string, string>> = {
  'from another site': { 'sec-fetch-site': 'cross-site' },
  'from another host of the same site': { 'sec-fetch-site': 'same-site' },
  'typed in': { 'sec-fetch-site': 'none' },
  'from another origin, by an older browser': { origin: 'https://evil.example' },
  'from a sandboxed page': { origin: 'null' },
  'with our origin beside a true header': { origin: 'http://127.0.0.1', 'sec-fetch-site': 'cross-site' },
};

describe.each(ADAPTERS)('a forged request to a dashboard on %s', (adapter) => {
  const site = new DashboardFixture(sqlite[0] as (typeof sqlite)[0]);

  it('changes nothing', async () => {
    const app = await site.start({
      adapter,
      providers: [failing({ value: true })],
      dashboard: { open: true, readOnly: false },
    });
    const { failed } = await seed(app);
    const before = await everythingIn(app);
    const changes = boardApi('work', failed, 'yearly').filter(({ method }) => method !== 'GET');
    expect(changes.length).toBeGreaterThan(20);
    for (const { method, path } of [...changes, { method: 'POST', path: `/inspect/api/jobs/${failed}/retry` }]) {
      for (const [how, headers] of Object.entries(FORGED)) {
        const { status } = await site.ask(method, `/queues${path}`, { body: {}, headers });
        expect([method, path, how, status]).toEqual([method, path, how, 403]);
      }
      for (const type of ['application/x-www-form-urlencoded', 'text/plain']) {
        const headers = { 'sec-fetch-site': 'cross-site', 'content-type': type };
        const { status } = await site.ask(method, `/queues${path}`, { body: {}, headers });
        // One that the application cannot read is refused before anybody looks at where it comes from.
        expect([method, path, type, [400, 403, 415].includes(status)]).toEqual([method, path, type, true]);
      }
    }
    expect(await everythingIn(app)).toEqual(before);
    const retried = await site.ask('PUT', `${API}/work/${failed}/retry`, {
      headers: { 'sec-fetch-site': 'same-origin' },
    });
    expect(retried.status).toBe(204);
  });
});

describe.each(ADAPTERS)('a read-only dashboard on %s', (adapter) => {
  const site = new DashboardFixture(sqlite[0] as (typeof sqlite)[0]);

  it('refuses every change on the server, says so, and tells the page', async () => {
    const app = await site.start({ adapter, providers: [failing({ value: true })], dashboard: { open: true } });
    const { failed } = await seed(app);
    const before = await everythingIn(app);
    for (const { method, path } of boardApi('work', failed, 'yearly').filter(({ method: one }) => one !== 'GET')) {
      const { status, json } = await site.ask(method, `/queues${path}`, {
        body: {},
        headers: { 'sec-fetch-site': 'same-origin' },
      });
      expect([path, status]).toEqual([path, 403]);
      expect(json).toMatchObject({ message: expect.stringMatching(/read-only.*readOnly: false/) });
    }
    expect(await everythingIn(app)).toEqual(before);
    const { queues } = (await site.get(API)).json as { queues: object[] };
    expect(queues[0]).toMatchObject({ readOnlyMode: true, allowRetries: false });
  });
});

describe.each(some)('what is done through the board, on $name', (database) => {
  const site = new DashboardFixture(database);
  const broken = { value: true };
  let gate = deferred();
  const adapter: HttpAdapter = database.name === 'sqlite' ? 'Express' : 'Fastify';
  const start = async () => {
    broken.value = true;
    gate = deferred();
    const app = await site.start({
      adapter,
      providers: [failing(broken), handler('long', () => gate.promise)],
      dashboard: { open: true, readOnly: false },
    });
    return { app, queue: app.queue, ...(await seed(app)) };
  };
  const put = (path: string, body?: unknown) => site.ask('PUT', `${API}${path}`, { body });
  const shown = async (query = ''): Promise<BoardQueue[]> =>
    ((await site.get(`${API}${query}`)).json as { queues: BoardQueue[] }).queues;
  const work = async (query = '') => (await shown(query)).find(({ name }) => name === 'work') as BoardQueue;

  it('shows every state, the attempts with their stacks, logs and workers', async () => {
    const { queue, failed, succeeded, later } = await start();
    const { id: cancelled } = await queue.enqueue('work', {}, { delay: '1h', key: 'k', priority: 7 });
    await queue.cancel(cancelled);
    const queues = await shown('?activeQueue=work');
    expect(queues.map(({ name }) => name)).toEqual(['long', 'nobody', 'work']);
    expect(queues[2]?.counts).toEqual({ active: 0, waiting: 0, delayed: 1, completed: 1, failed: 2 });
    expect(queues[2]?.jobs.map(({ id }) => id)).toEqual([cancelled, later, succeeded, failed]);
    expect(queues[2]?.jobs[0]).toMatchObject({
      name: 'work (cancelled)',
      failedReason: 'Cancelled',
      opts: { key: 'k' },
    });
    const { jobs } = await work('?activeQueue=work&status=failed');
    expect(jobs.map(({ id }) => id)).toEqual([cancelled, failed]);
    await queue.retry(failed);
    await waitUntil(async () => (await queue.history(failed)).length === 2);
    const { job, status } = (await site.get(`${API}/work/${failed}`)).json as {
      job: BoardQueue['jobs'][0];
      status: string;
    };
    expect(status).toBe('failed');
    expect(job).toMatchObject({ attempts: 1, failedReason: 'Error: it broke', processedBy: expect.any(String) });
    expect(job.stacktrace).toHaveLength(2);
    expect(job.stacktrace[0]).toMatch(/^Attempt 1 on .*: failed, error\nError: it broke\n\s+at .*dashboard-changes/);
    const logs = (await site.get(`${API}/work/${failed}/logs`)).json;
    expect(logs).toContainEqual(expect.stringMatching(/Attempt 1 has ended \(failed, error\): Error: it broke/));
    const { workers } = (await site.get(`${API}/work/workers`)).json as { workers: object[] };
    expect(workers).toEqual([expect.objectContaining({ addr: expect.stringContaining(`:${process.pid}`) })]);
  });

  it('counts once for all who look at it, however often they ask', async () => {
    const { queue } = await start();
    const counts = jest.spyOn(queue, 'counts');
    await Promise.all(Array.from({ length: 10 }, () => shown('?activeQueue=work')));
    await shown();
    expect(counts.mock.calls.length).toBe(1);
  });

  it('asks for a list once for all who look at it, and not at all where the counts know of no job', async () => {
    const { queue } = await start();
    await queue.enqueueMany('many', [{ payload: 1 }, { payload: 2 }]);
    const find = jest.spyOn(queue, 'find');
    const lists = await Promise.all(Array.from({ length: 10 }, () => shown('?activeQueue=many&status=waiting')));
    expect(lists.map((queues) => queues.find(({ name }) => name === 'many')?.jobs.length)).toEqual(Array(10).fill(2));
    expect(find).toHaveBeenCalledTimes(1);
    for (const status of ['active', 'delayed', 'completed', 'failed'])
      await shown(`?activeQueue=many&status=${status}`);
    await shown('?activeQueue=many&status=waiting&page=2&jobsPerPage=10');
    expect(find).toHaveBeenCalledTimes(1);
    find.mockRestore();
  });

  it('reads one after the other, so that jobs keep the other connections', async () => {
    const { queue, failed, succeeded } = await start();
    let [now, most] = [0, 0];
    const spies = (['find', 'get', 'history', 'log', 'counts', 'steps'] as const).map((name) => {
      const read = queue[name].bind(queue) as (...given: unknown[]) => Promise<never>;
      return jest.spyOn(queue, name).mockImplementation(async (...given: unknown[]) => {
        most = Math.max(most, ++now);
        return read(...given).finally(() => now--);
      });
    });
    const lists = ['completed', 'failed', 'delayed'].map((status) => `${API}?activeQueue=work&status=${status}`);
    const single = [failed, succeeded].flatMap((id) => [
      `${API}/work/${id}`,
      `${API}/work/${id}/logs`,
      `/queues/inspect/api/jobs/${id}`,
    ]);
    const others = ['types', 'due', 'nodes', 'jobs?type=work'].map((path) => `/queues/inspect/api/${path}`);
    const answers = await Promise.all([...lists, ...single, ...others].map((path) => site.get(path)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect([now, most]).toEqual([0, 1]);
    for (const spy of spies) spy.mockRestore();
  });

  it('pauses what it can while counting fails, and counts again only after a rest', async () => {
    const { app, queue } = await start();
    const counts = jest.spyOn(queue, 'counts').mockRejectedValue(new Error('it takes too long'));
    for (let turn = 0; turn < 3; turn++) expect((await site.get(API)).status).toBe(500);
    expect(counts).toHaveBeenCalledTimes(1);
    const statuses = [await put('/work/pause'), await put('/work/resume')].map(({ status }) => status);
    expect(statuses).toEqual([200, 200]);
    expect(await app.dataSource.query('SELECT type FROM pq_pause')).toEqual([]);
    counts.mockRestore();
  });

  it('shows types with any name, and refuses an address that is not encoded', async () => {
    const { queue } = await start();
    const types = ['50% off', 'a/b', 'ä?&#', '</script>'];
    const ids = await Promise.all(types.map(async (type) => (await queue.enqueue(type)).id));
    for (const [index, type] of types.entries()) {
      const name = encodeURIComponent(type);
      expect((await site.get(`${API}/${name}/${ids[index]}`)).json).toMatchObject({ job: { name: type } });
      const listed = await shown(`?activeQueue=${encodeURIComponent(name)}`);
      expect(listed.find((each) => each.name === type)?.jobs).toMatchObject([{ id: ids[index] }]);
    }
    expect((await site.get(`${API}?activeQueue=${encodeURIComponent('50% off')}`)).status).toBe(400);
  });

  it('answers 404 for a job below the name of another type', async () => {
    const { failed } = await start();
    for (const path of [`/nobody/${failed}`, '/work/999999', '/work/abc', '/nothing/1'])
      expect([path, (await site.get(`${API}${path}`)).status]).toEqual([path, 404]);
    expect((await site.get(`${API}/nobody/${failed}/logs`)).json).toEqual([]);
  });

  it('pauses and resumes one type, and all', async () => {
    const { app } = await start();
    const paused = async () =>
      (await app.dataSource.query('SELECT type FROM pq_pause ORDER BY type')).map(({ type }: { type: unknown }) =>
        String(type),
      );
    await put('/work/pause');
    expect(await paused()).toEqual(['work']);
    expect(await work()).toMatchObject({ isPaused: true });
    await put('/work/resume');
    expect(await paused()).toEqual([]);
    expect(await work()).toMatchObject({ isPaused: false });
    await put('/pause');
    expect(await paused()).toEqual(['long', 'nobody', 'work']);
    await put('/resume');
    expect(await paused()).toEqual([]);
  });

  it('retries one failed job, and all of a type but the cancelled', async () => {
    const { app, queue, failed } = await start();
    const { id: cancelled } = await queue.enqueue('work', {}, { delay: '1h' });
    await queue.cancel(cancelled);
    broken.value = false;
    expect((await put(`/work/${failed}/retry`)).status).toBe(204);
    await app.waitFor(failed, 'succeeded');
    broken.value = true;
    const again = await Promise.all([1, 2].map(async () => (await queue.enqueue('work', { fails: true })).id));
    for (const id of again) await app.waitFor(id, 'failed');
    broken.value = false;
    expect((await put('/work/retry/failed')).json).toEqual({ retried: 2, skipped: 0 });
    for (const id of again) await app.waitFor(id, 'succeeded');
    expect(await queue.get(cancelled)).toMatchObject({ state: 'cancelled' });
    expect((await put('/work/retry/completed')).status).toBe(400);
    expect((await put(`/work/${failed}/retry`)).status).toBe(409);
  });

  it('lets one scheduled job run now, and all of a type', async () => {
    const { app, queue, later } = await start();
    expect((await put(`/work/${later}/promote`)).status).toBe(204);
    await app.waitFor(later, 'succeeded');
    const more = await queue.enqueueMany(
      'work',
      [1, 2, 3].map(() => ({ payload: {}, delay: '1h' })),
    );
    expect((await put('/work/promote')).status).toBe(200);
    for (const { id } of more) await app.waitFor(id, 'succeeded');
    const refused = await put(`/work/${later}/promote`);
    expect(refused.status).toBe(409);
    expect(refused.json).toMatchObject({ message: expect.stringMatching(/cannot be run now.*succeeded/) });
  });

  it('deletes ended jobs together, after the grace that the board gives them, and no others', async () => {
    const { app, queue, succeeded, failed } = await start();
    await put('/work/clean/completed');
    expect(await queue.get(succeeded)).toBeDefined();
    await app.dataSource.query('UPDATE pq_job SET finished_at = finished_at - 60000 WHERE finished_at IS NOT NULL');
    await put('/work/clean/completed');
    expect(await queue.get(succeeded)).toBeUndefined();
    expect(await queue.get(failed)).toBeDefined();
    await put('/work/clean/failed');
    expect(await queue.get(failed)).toBeUndefined();
    const refused = await put('/work/clean/delayed');
    expect([refused.status, (refused.json as { message: string }).message]).toEqual([
      405,
      expect.stringMatching(/have not ended/),
    ]);
    expect((await queue.find({ type: 'work', state: 'scheduled' })).jobs).toHaveLength(1);
  });

  it('removes one job that has ended or not begun, and not one that runs', async () => {
    const { app, queue, failed, later, waiting } = await start();
    for (const [type, id] of [
      ['work', failed],
      ['work', later],
      ['nobody', waiting],
    ] as const) {
      expect((await put(`/${type}/${id}/clean`)).status).toBe(204);
      expect(await queue.get(id)).toBeUndefined();
    }
    const { id } = await queue.enqueue('long');
    await app.waitFor(id, 'running');
    expect((await put(`/long/${id}/clean`)).status).toBe(409);
    expect(await queue.get(id)).toMatchObject({ state: 'running' });
    gate.resolve();
    await app.waitFor(id, 'succeeded');
  });

  it('does not remove a job that has begun to run since the board has read it', async () => {
    const { app, queue } = await start();
    const { id } = await queue.enqueue('long', {}, { delay: '1h' });
    const history = jest.spyOn(queue, 'history').mockImplementationOnce(async () => {
      await queue.runNow(id);
      await app.waitFor(id, 'running');
      return [];
    });
    expect((await put(`/long/${id}/clean`)).status).toBe(409);
    history.mockRestore();
    expect(await queue.get(id)).toMatchObject({ state: 'running' });
    gate.resolve();
    await app.waitFor(id, 'succeeded');
  });

  it('adds a job with the options of enqueue(), and says what it cannot take', async () => {
    const { queue } = await start();
    const add = (data: unknown, options: object) =>
      site.ask('POST', `${API}/work/add`, { body: { name: 'x', data, options } });
    const added = await add({ a: 1 }, { delay: 60_000, priority: 5, key: 'k', attempts: 2, reference: 'r' });
    const { job, status } = added.json as { job: { id: string }; status: string };
    expect(status).toBe('delayed');
    expect(await queue.get(job.id)).toMatchObject({
      payload: { a: 1 },
      priority: 5,
      key: 'k',
      reference: 'r',
      state: 'scheduled',
    });
    for (const options of [{ delya: 1 }, { priority: 10 }, { deadline: {} }, { manager: {} }, { key: 'k' }])
      expect([options, (await add({}, options)).status]).toEqual([options, 400]);
    expect((await queue.find({ type: 'work' })).jobs[0]?.id).toBe(job.id);
  });

  it('shows schedules, runs, edits and removes them, and keeps what it does not show', async () => {
    const { app, queue } = await start();
    const schedules = app.app.get(Schedules);
    const kept = {
      payload: { n: 1 },
      overlap: 'skip',
      misfire: 'all',
      misfireLimit: 7,
      description: 'd',
      extra: { x: 1 },
      jitter: 5_000,
    } as const;
    await schedules.upsert('a/b c', {
      spec: '0 3 * * *',
      type: 'work',
      timeZone: 'Europe/Berlin',
      enabled: false,
      ...kept,
    });
    const shownSchedules = (await site.get('/queues/api/job-schedulers?queueName=work')).json;
    expect(shownSchedules).toMatchObject({
      schedulers: [
        { id: 'a/b c', name: 'work · disabled', pattern: '0 3 * * *', tz: 'Europe/Berlin', queueName: 'work' },
        { id: 'yearly', name: 'work', pattern: FAR.spec },
      ],
    });
    const one = `/work/job-schedulers/${encodeURIComponent('a/b c')}`;
    const edit = (body: object) => site.ask('PATCH', `${API}${one}`, { body });
    expect((await edit({ pattern: '30 4 * * *', tz: 'Asia/Tokyo' })).status).toBe(204);
    expect(await schedules.get('a/b c')).toMatchObject({
      spec: '30 4 * * *',
      timeZone: 'Asia/Tokyo',
      enabled: false,
      ...kept,
    });
    expect((await edit({ every: 90_000 })).status).toBe(204);
    expect(await schedules.get('a/b c')).toMatchObject({ spec: '@every 90000ms', timeZone: 'UTC', ...kept });
    expect((await site.get('/queues/api/job-schedulers?queueName=work')).json).toMatchObject({
      schedulers: [{ every: 90_000 }, {}],
    });
    expect((await edit({ pattern: '99 * * * *' })).status).toBe(400);
    expect((await edit({ pattern: '0 3 * * *', tz: 'Nowhere/City' })).text).toMatch(/The schedule's timeZone cannot/);
    expect((await edit({ pattern: '0 3 * * *', limit: 3 })).status).toBe(405);
    const ran = (await put(`${one}/run`)).json as { job: { id: string } };
    expect(await queue.get(ran.job.id)).toMatchObject({ type: 'work', payload: { n: 1 } });
    expect((await put(`/nobody/job-schedulers/yearly/remove`)).status).toBe(404);
    expect((await put(`${one}/remove`)).status).toBe(204);
    expect((await schedules.list()).map(({ name }) => name)).toEqual(['yearly']);
    for (const path of ['/remove', '/run']) expect((await put(`${one}${path}`)).status).toBe(404);
  });

  it.each([
    ['/work/empty', {}, 405],
    ['/work/obliterate', { force: true }, 400],
    ['/work/concurrency', { concurrency: 3 }, 405],
    ['/work/rate-limit', { max: 1, duration: 1_000 }, 400],
  ])('says that it is not possible: PUT %s', async (path, body, status) => {
    const { app } = await start();
    const before = await everythingIn(app);
    expect((await put(path, body)).status).toBe(status);
    expect(await everythingIn(app)).toEqual(before);
  });

  it('says that the payload of a job stays as it is', async () => {
    const { queue, failed } = await start();
    const { status, json } = await site.ask('PATCH', `${API}/work/${failed}/update-data`, {
      body: { jobData: { other: 1 } },
    });
    expect([status, json]).toEqual([
      405,
      expect.objectContaining({ message: expect.stringMatching(/Changing the payload/) }),
    ]);
    expect(await queue.get(failed)).toMatchObject({ payload: { fails: true } });
  });

  it('pages through the jobs of a state, newest first', async () => {
    const { queue } = await start();
    const ids = (
      await queue.enqueueMany(
        'many',
        Array.from({ length: 25 }, (_, n) => ({ payload: n })),
      )
    ).map(({ id }) => id);
    const pages = await Promise.all(
      [1, 2, 3, 4].map(async (page) => {
        const all = await shown(`?activeQueue=many&status=waiting&page=${page}&jobsPerPage=10`);
        return all.find(({ name }) => name === 'many')?.jobs.map(({ id }) => id);
      }),
    );
    const newest = ids.toReversed();
    expect(pages).toEqual([newest.slice(0, 10), newest.slice(10, 20), newest.slice(20), []]);
  });

  it('shows pages as long as the settings of the board offer', async () => {
    const { queue } = await start();
    const jobs = Array.from({ length: 650 }, (_, n) => ({ payload: n }));
    const newest = (await queue.enqueueMany('many', jobs)).map(({ id }) => id).toReversed();
    const page = async (number: number) => {
      const all = await shown(`?activeQueue=many&status=waiting&page=${number}&jobsPerPage=300`);
      return all.find(({ name }) => name === 'many')?.jobs.map(({ id }) => id);
    };
    expect([await page(1), await page(2), await page(3)]).toEqual([
      newest.slice(0, 300),
      newest.slice(300, 600),
      newest.slice(600),
    ]);
  });
});
