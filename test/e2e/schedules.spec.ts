import { Injectable } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { InvalidHandlerError } from '../../lib/errors/invalid-handler.error.js';
import { InvalidScheduleError } from '../../lib/errors/invalid-schedule.error.js';
import { ScheduleNotFoundError } from '../../lib/errors/schedule-not-found.error.js';
import type { QueueEvent } from '../../lib/events/queue-event.js';
import { JobHandler } from '../../lib/handler/job-handler.decorator.js';
import type { JobContext } from '../../lib/job/job-context.js';
import { JobRepository } from '../../lib/repository/job-repository.js';
import { ScheduleRepository } from '../../lib/repository/schedule-repository.js';
import { JobSchedule } from '../../lib/schedule/job-schedule.decorator.js';
import { ScheduleFirer } from '../../lib/schedule/schedule-firer.js';
import { Schedules } from '../../lib/schedule/schedules.js';
import { BUSY_RETRY } from '../../lib/typeorm/busy-retry.js';
import { retryRolledBack } from '../../lib/typeorm/retry-rolled-back.js';
import { handler, startApp, type AppFixture, type AppOptions } from '../support/app-fixture.js';
import { databases, type TestDatabase, type TestSchema } from '../support/databases.js';
import { waitUntil } from '../support/wait-until.js';

const FAR = '0 0 1 1 *';

let schema: TestSchema | undefined;
const opened: AppFixture[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((app) => app.close()));
  await schema?.drop();
  schema = undefined;
});

async function start(options: AppOptions = {}) {
  const app = await startApp(schema as TestSchema, options);
  opened.push(app);
  const events: QueueEvent[] = [];
  app.queue.events$.subscribe((event) => events.push(event));
  // SQLite's application connection does not wait for a writer.
  const sql = (text: string) => retryRolledBack(BUSY_RETRY, () => app.dataSource.query(text));
  const named = (name: QueueEvent['name']) => events.filter((event) => event.name === name);
  return { app, schedules: app.app.get(Schedules), named, sql };
}

describe.each(databases())('schedules on $name', (database) => {
  beforeEach(async () => {
    schema = await database.create();
  });

  it('fire each second, once each, however many nodes there are, and tell the job its fire time', async () => {
    const seen: JobContext[] = [];
    const providers = [handler('tick', (_, job) => seen.push(job))];
    const [{ schedules }] = await Promise.all([start({ providers }), start({ providers }), start({ providers })]);
    const { nextFireAt } = await schedules.upsert('each second', {
      spec: '@every 1s',
      type: 'tick',
      payload: { a: 1 },
    });
    expect(nextFireAt).toBeUndefined();
    await waitUntil(() => seen.length >= 3);
    const times = (await schedules.history('each second')).map(({ fireTime }) => fireTime.getTime()).toReversed();
    for (const [index, time] of times.entries()) expect(time).toBe((times[0] as number) + index * 1_000);
    expect(new Set(seen.map(({ key }) => key)).size).toBe(seen.length);
    expect(seen[0]).toMatchObject({
      key: `each second@${new Date(times[0] as number).toISOString()}`,
      reference: 'each second',
    });
  });

  it('take effect within 5 s when they are edited by plain SQL: spec, payload, type and zone', async () => {
    const seen: unknown[] = [];
    const { schedules, sql } = await start({
      providers: [
        handler('a', (payload) => seen.push(['a', payload])),
        handler('b', (payload) => seen.push(['b', payload])),
      ],
    });
    await schedules.upsert('s', { spec: FAR, type: 'a' });
    await waitUntil(async () => (await schedules.get('s'))?.nextFireAt !== undefined);
    await sql(`UPDATE pq_schedule SET time_zone = 'America/New_York'`);
    await waitUntil(async () => (await schedules.get('s'))?.nextFireAt?.getUTCHours() === 5, { timeout: 5_000 });
    await sql(`UPDATE pq_schedule SET spec = '@every 1s', payload = '"edited"'`);
    await waitUntil(() => seen.length > 0, { timeout: 5_000 });
    expect(seen[0]).toEqual(['a', 'edited']);
    await sql(`UPDATE pq_schedule SET type = 'b'`);
    await waitUntil(() => seen.some((call) => JSON.stringify(call) === '["b","edited"]'), { timeout: 5_000 });
  });

  it('that plain SQL has broken say so, harm no other, and fire when they are mended', async () => {
    const seen: unknown[] = [];
    const { schedules, sql, named } = await start({ providers: [handler('t', (payload) => seen.push(payload))] });
    await sql(`INSERT INTO pq_schedule (service, name, spec, type) VALUES ('default', 'bad', '0 25 * * *', 't')`);
    await sql(
      `INSERT INTO pq_schedule (service, name, spec, type, time_zone) VALUES ('default', 'lost', '@daily', 't', 'Mars/Base')`,
    );
    await sql(
      `INSERT INTO pq_schedule (service, name, spec, type, payload) VALUES ('default', 'good', '@every 1s', 't', '"good"')`,
    );
    await waitUntil(() => seen.includes('good') && named('schedule.broken').length >= 2);
    expect((await schedules.get('bad'))?.broken).toMatch(/position 2/);
    expect((await schedules.get('lost'))?.broken).toMatch(/Mars/);
    await sql(`UPDATE pq_schedule SET spec = '@every 1s', payload = '"mended"' WHERE name = 'bad'`);
    await waitUntil(() => seen.includes('mended'));
    expect((await schedules.get('bad'))?.broken).toBeUndefined();
    expect(named('schedule.broken')).toHaveLength(2);
  });
});

/** What differs between databases in these is held by the contract. */
describe('schedules', () => {
  beforeEach(async () => {
    schema = await anyDatabase().create();
  });

  it('stop when they are disabled, and go on from now when they are enabled again', async () => {
    const { schedules, named } = await start({ providers: [handler('t', () => undefined)] });
    await schedules.upsert('s', { spec: '@every 1s', type: 't', misfire: 'all' });
    await waitUntil(() => named('schedule.fired').length > 0);
    await schedules.disable('s');
    await waitUntil(async () => (await schedules.get('s'))?.nextFireAt === undefined);
    const before = (await schedules.history('s')).length;
    // Long enough for a fire time to come and go.
    const passed = Date.now() + 2_100;
    await waitUntil(() => Date.now() > passed);
    expect(await schedules.history('s')).toHaveLength(before);
    await schedules.enable('s');
    await waitUntil(async () => (await schedules.history('s')).length > before);
    const [latest, previous] = await schedules.history('s');
    expect(Number(latest?.fireTime) - Number(previous?.fireTime)).toBeGreaterThan(1_000);
  });

  it('that are deleted, by remove() or by plain SQL, fire no more', async () => {
    const { schedules, named, sql } = await start({ providers: [handler('t', () => undefined)] });
    await schedules.upsert('stays', { spec: '@every 1s', type: 't' });
    for (const remove of [() => schedules.remove('s'), () => sql(`DELETE FROM pq_schedule WHERE name = 's'`)]) {
      const fired = (name: string) =>
        named('schedule.fired').filter((event) => 'schedule' in event && event.schedule === name);
      await schedules.upsert('s', { spec: '@every 1s', type: 't' });
      const before = fired('s').length;
      await waitUntil(() => fired('s').length > before);
      await remove();
      const [mine, others] = [fired('s').length, fired('stays').length];
      await waitUntil(() => fired('stays').length >= others + 2);
      // One may have been under way.
      expect(fired('s').length).toBeLessThanOrEqual(mine + 1);
    }
  });

  it('are looked at once a second, however often work is looked for: there may be thousands', async () => {
    const { app } = await start({ queue: { poll: { min: 5, max: 5 } } });
    const survey = jest.spyOn(app.app.get(JobRepository), 'survey');
    const begin = performance.now();
    await waitUntil(() => survey.mock.calls.length >= 100);
    const seconds = (performance.now() - begin) / 1_000;
    expect(survey.mock.calls.filter(([{ schedules }]) => schedules).length).toBeLessThanOrEqual(seconds + 1);
  });

  it('that are due do not keep the application from stopping', async () => {
    const { app, schedules, sql } = await start({ queue: { autoStart: false } });
    for (const name of ['a', 'b', 'c']) await schedules.upsert(name, { spec: FAR, type: 't' });
    const fires = jest.spyOn(app.app.get(ScheduleRepository, { strict: false }), 'fire');
    const stop = jest.spyOn(app.app.get(ScheduleFirer, { strict: false }), 'stop');
    let closing: Promise<void> | undefined;
    const settled = new Promise<void>((resolve) => {
      fires.mockImplementation(async () => {
        closing ??= app.close().then(resolve, resolve);
        await waitUntil(() => stop.mock.calls.length > 0);
        throw new Error('the database is away');
      });
    });
    await app.start();
    await waitUntil(async () => (await schedules.list()).every(({ nextFireAt }) => nextFireAt !== undefined));
    await sql('UPDATE pq_schedule SET next_fire = 1');
    await settled;
    expect(fires).toHaveBeenCalledTimes(1);
  });

  it('of a type that nobody handles make jobs that wait', async () => {
    const { app, schedules } = await start();
    await schedules.upsert('s', { spec: '@every 1s', type: 'nobody' });
    await waitUntil(async () => (await app.queue.find({ type: 'nobody', state: 'waiting' })).jobs.length > 0);
  });

  it('with overlap skip leave out what comes while a job is running, and with queue run one after the other', async () => {
    let running = 0;
    let most = 0;
    const { schedules, named } = await start({
      providers: [
        handler('long', async () => {
          most = Math.max(most, ++running);
          const until = Date.now() + 1_500;
          await waitUntil(() => Date.now() > until);
          running--;
        }),
      ],
    });
    await schedules.upsert('queue', { spec: '@every 1s', type: 'long', overlap: 'queue' });
    const outcomes = async () => (await schedules.history('queue')).map(({ outcome }) => outcome);
    await waitUntil(async () => (await outcomes()).filter((outcome) => outcome === 'fired').length >= 3);
    expect(most).toBe(1);
    expect(await outcomes()).toContain('queued');
    await schedules.remove('queue');
    await schedules.upsert('skip', { spec: '@every 1s', type: 'long', overlap: 'skip' });
    await waitUntil(() => named('schedule.skipped').length > 0);
  });

  it('run now, beside their plan, and answer the job', async () => {
    const { app, schedules, named } = await start({ providers: [handler('t', (payload) => payload)] });
    await schedules.upsert('s', { spec: FAR, type: 't', payload: 7, enabled: false });
    const { id } = await schedules.runNow('s');
    expect(await app.waitFor(id, 'succeeded')).toMatchObject({
      result: 7,
      reference: 's',
      traceId: expect.any(String),
    });
    expect(await schedules.history('s')).toMatchObject([{ manual: true, jobId: id, jobState: 'succeeded' }]);
    expect(named('schedule.fired')).toMatchObject([{ schedule: 's', job: { id } }]);
  });

  it('fire where the role is, and run where the work is', async () => {
    const seen: unknown[] = [];
    const providers = [handler('t', () => seen.push(1))];
    const producer = await start({ queue: { roles: ['schedule'] } });
    const consumer = await start({ providers, queue: { roles: ['work'] } });
    await consumer.schedules.upsert('s', { spec: '@every 1s', type: 't' });
    await waitUntil(() => seen.length > 0);
    expect(producer.named('schedule.fired').length).toBeGreaterThan(0);
    expect(consumer.named('schedule.fired')).toEqual([]);
  });

  it('declared by a method are run by it, and are rows that can be edited', async () => {
    const seen: unknown[] = [];
    @Injectable()
    class Reports {
      @JobSchedule('@every 1s', { payload: 'tick', description: 'each second' })
      each(payload: unknown): void {
        seen.push(payload);
      }

      @JobSchedule(FAR, { name: 'yearly', misfire: 'all', maxRetries: 1 })
      @JobHandler('report')
      yearly(payload: unknown): void {
        seen.push(['yearly', payload]);
      }
    }
    const { app, schedules } = await start({ providers: [Reports] });
    await waitUntil(() => seen.includes('tick'));
    expect(await schedules.list()).toMatchObject([
      { name: 'Reports.each', type: 'Reports.each', declared: true, description: 'each second' },
      { name: 'yearly', type: 'report', misfire: 'all', spec: FAR },
    ]);
    await app.queue.enqueue('report', 'by hand');
    await waitUntil(() => seen.some((call) => JSON.stringify(call) === '["yearly","by hand"]'));
  });

  it('declared by a method that is gone are disabled with the next start, and enabled when it is back', async () => {
    @Injectable()
    class Nightly {
      @JobSchedule(FAR, { name: 'nightly' })
      run(): void {}
    }
    const first = await start({ providers: [Nightly] });
    await opened.splice(0)[0]?.close();
    expect(first.named('schedule.gone')).toEqual([]);
    const second = await start();
    expect(await second.schedules.get('nightly')).toMatchObject({ enabled: false, gone: true });
    const third = await start({ providers: [Nightly] });
    expect(await third.schedules.get('nightly')).toMatchObject({ enabled: true, gone: false });
  });
});

describe('what is asked of schedules', () => {
  let own: TestSchema;
  let app: AppFixture;
  let schedules: Schedules;
  beforeAll(async () => {
    own = await anyDatabase().create();
    app = await startApp(own, {});
    schedules = app.app.get(Schedules);
  });
  afterAll(async () => {
    await app.close();
    await own.drop();
  });

  it.each<[string, object, RegExp]>([
    ['a spec with a fault', { spec: '0 25 * * *' }, /spec.*position 2/],
    ['no spec', { spec: undefined }, /spec/],
    ['an unknown zone', { timeZone: 'Mars/Base' }, /timeZone.*Mars/],
    ['a negative jitter', { jitter: -1 }, /jitter.*-1/],
    ['no type', { type: '' }, /type/],
    ['an unknown misfire', { misfire: 'never' }, /misfire.*never.*once, skip, all/],
    ['an unknown overlap', { overlap: 'maybe' }, /overlap.*maybe/],
    ['a limit of 0', { misfireLimit: 0 }, /misfireLimit/],
    ['an end before the beginning', { from: new Date(5_000), until: new Date(1_000) }, /until/],
    ['an invalid date', { from: new Date(Number.NaN) }, /from/],
    ['a payload that JSON cannot carry', { payload: () => 1 }, /payload/],
    ['a payload that is too large', { payload: 'x'.repeat(1_048_577) }, /payload.*bytes/],
    ['an unknown option', { timezone: 'UTC' }, /timezone.*timeZone/s],
    ['a flag that is none', { enabled: 'yes' }, /enabled/],
  ])('refuse %s, and name it', async (_, options, message) => {
    const valid = { spec: '@daily', type: 't' };
    await expect(schedules.upsert('s', { ...valid, ...options })).rejects.toThrow(message);
    expect(await schedules.get('s')).toBeUndefined();
  });

  it('refuse names that cannot be stored, and those that are not there', async () => {
    for (const name of ['', 'x'.repeat(201), 5 as never])
      await expect(schedules.upsert(name, { spec: '@daily', type: 't' })).rejects.toThrow(InvalidScheduleError);
    for (const call of [
      schedules.enable('x'),
      schedules.disable('x'),
      schedules.remove('x'),
      schedules.runNow('x'),
      schedules.preview('x'),
    ])
      await expect(call).rejects.toThrow(ScheduleNotFoundError);
  });

  it('preview fire times of a stored schedule or of a spec, within its bounds', async () => {
    await schedules.upsert('nightly', {
      spec: '30 3 * * *',
      timeZone: 'Europe/Berlin',
      type: 't',
      until: new Date('2027-03-03T00:00:00Z'),
    });
    const after = new Date('2027-02-28T12:00:00Z');
    expect(await schedules.preview('nightly', { after, count: 10 })).toEqual(
      ['2027-03-01', '2027-03-02'].map((day) => new Date(`${day}T02:30:00Z`)),
    );
    expect(await schedules.preview({ spec: '@every 1h' }, { after, count: 1 })).toEqual([
      new Date('2027-02-28T13:00:00Z'),
    ]);
    await expect(schedules.preview({ spec: 'nonsense' })).rejects.toThrow(InvalidScheduleError);
  });

  it('stop an application with two declarations of one name, or with a spec that cannot be used', async () => {
    @Injectable()
    class Twice {
      @JobSchedule('@daily', { name: 'same' })
      one(): void {}
      @JobSchedule('@daily', { name: 'same' })
      two(): void {}
    }
    @Injectable()
    class Bad {
      @JobSchedule('0 25 * * *')
      run(): void {}
    }
    await expect(startApp(own, { providers: [Twice] })).rejects.toThrow(InvalidHandlerError);
    await expect(startApp(own, { providers: [Bad] })).rejects.toThrow(/Bad.run.*position 2/s);
  });
});

function anyDatabase(): TestDatabase {
  const [first] = databases();
  if (first === undefined) throw new Error('There is no database to test with.');
  return first;
}
