import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import type { ClaimedJob } from '../../lib/job/job.js';
import type { NewSchedule } from '../../lib/job/schedule.js';
import type { PendingSchedule } from '../../lib/repository/schedule-repository.js';
import { newSchedule } from '../support/new-schedule.js';
import { handled, success, type QueueFixture } from '../support/queue-fixture.js';
import type { ContractContext } from './contract-context.js';

const SCHEDULE = newSchedule({ payload: '{"a":1}' });

/** Stored and planned for `in` milliseconds from now. */
async function planned(
  fixture: QueueFixture,
  overrides: Partial<NewSchedule> = {},
  inMs = -10,
): Promise<PendingSchedule> {
  await fixture.schedules.save({ ...SCHEDULE, ...overrides });
  const { schedules, now } = await fixture.schedules.pending(10);
  const schedule = schedules.find(({ name }) => name === (overrides.name ?? 's')) as PendingSchedule;
  await fixture.schedules.plan(schedule, now + inMs);
  return { ...schedule, nextFire: now + inMs, edited: false };
}

const only = async (fixture: QueueFixture) => (await fixture.schedules.pending(10)).schedules[0] as PendingSchedule;

export function schedulesContract(context: ContractContext): void {
  describe('schedules', () => {
    it('are stored, listed by name, replaced and removed', async () => {
      const { schedules } = await context.open();
      await schedules.save({ ...SCHEDULE, name: 'b', description: 'first', extra: '[1]', startsAt: 1_000 });
      await schedules.save({ ...SCHEDULE, name: 'a' });
      expect((await schedules.list()).map(({ name }) => name)).toEqual(['a', 'b']);
      expect(await schedules.get('b')).toMatchObject({
        spec: '@every 1h',
        payload: { a: 1 },
        enabled: true,
        description: 'first',
        extra: [1],
        from: new Date(1_000),
        declared: false,
      });
      await schedules.save({ ...SCHEDULE, name: 'b', enabled: false });
      expect(await schedules.get('b')).toMatchObject({ enabled: false, description: undefined, from: undefined });
      expect(await schedules.remove('b')).toBe(true);
      expect(await schedules.remove('b')).toBe(false);
      expect(await schedules.get('b')).toBeUndefined();
    });

    it('of the same name in another case, or with a space, are others', async () => {
      const { schedules } = await context.open();
      for (const name of ['A', 'a', 'a ', 'á'])
        await schedules.save({ ...SCHEDULE, name, spec: `@every ${name.length}h` });
      expect(await schedules.list()).toHaveLength(4);
      expect((await schedules.get('a '))?.spec).toBe('@every 2h');
    });

    it('of another service are nobody’s business here', async () => {
      const theirs = await context.open();
      const mine = await context.open();
      await planned(theirs);
      expect(await mine.schedules.pending(10)).toMatchObject({ schedules: [], nextIn: undefined });
      expect(await mine.schedules.list()).toEqual([]);
      expect(await mine.schedules.setEnabled('s', false)).toBe(false);
      expect(await mine.schedules.remove('s')).toBe(false);
      expect(await mine.schedules.fireNow('s')).toBeUndefined();
      expect(await theirs.schedules.list()).toHaveLength(1);
    });

    context.itWithSql('are pending when they are new, edited by plain SQL, due, or disabled with a plan', async () => {
      const fixture = await context.open();
      const { schedules, sql, service } = fixture;
      await planned(fixture, {}, 60_000);
      expect((await schedules.pending(10)).schedules).toEqual([]);
      for (const edit of ["spec = '@every 2h'", "time_zone = 'Europe/Berlin'", 'starts_at = 5', 'ends_at = 6']) {
        await sql(`UPDATE pq_schedule SET ${edit} WHERE service = ?`, [service]);
        const edited = await only(fixture);
        expect(edited.edited).toBe(true);
        await schedules.plan(edited, Date.now() + 60_000);
        expect((await schedules.pending(10)).schedules).toEqual([]);
      }
      await schedules.setEnabled('s', false);
      await schedules.unplan(await only(fixture));
      expect((await schedules.pending(10)).schedules).toEqual([]);
      expect((await schedules.get('s'))?.nextFireAt).toBeUndefined();
      await schedules.setEnabled('s', true);
      expect(await only(fixture)).toMatchObject({ edited: true });
    });

    it('that are stored again keep what code has declared, unless that code is gone', async () => {
      const { schedules } = await context.open();
      await schedules.declare([SCHEDULE]);
      await schedules.save({ ...SCHEDULE, spec: '@every 5h' });
      await schedules.declare([SCHEDULE]);
      expect(await schedules.get('s')).toMatchObject({ spec: '@every 5h', declared: true });
      expect(await schedules.declare([])).toEqual(['s']);
      await schedules.save({ ...SCHEDULE, spec: '@every 6h' });
      expect(await schedules.get('s')).toMatchObject({ enabled: true, declared: false, gone: false });
      expect(await schedules.declare([])).toEqual([]);
    });

    it('are planned by one node, which alone is told so', async () => {
      const { schedules } = await context.open();
      await schedules.save(SCHEDULE);
      const { schedules: pending, now } = await schedules.pending(10);
      const [schedule] = pending as [PendingSchedule];
      const plans = await Promise.all([schedules.plan(schedule, now + 5), schedules.plan(schedule, now + 5)]);
      expect(plans.filter((isMine) => isMine)).toHaveLength(1);
      expect(await schedules.unplan(schedule)).toBe(false);
      await schedules.setEnabled('s', false);
      expect(await schedules.unplan(schedule)).toBe(true);
    });

    it('that are enabled again are planned anew, also when nobody has seen that they were disabled', async () => {
      const fixture = await context.open();
      await planned(fixture);
      await fixture.schedules.setEnabled('s', true);
      expect(await only(fixture)).toMatchObject({ edited: false });
      await fixture.schedules.setEnabled('s', false);
      await fixture.schedules.setEnabled('s', true);
      expect(await only(fixture)).toMatchObject({ edited: true });
    });

    context.itWithSql('that are removed leave no firings behind, also when they fire meanwhile', async () => {
      const fixture = await context.open();
      const schedule = await planned(fixture);
      const request = { schedule, times: [schedule.nextFire], missed: undefined, next: undefined };
      await Promise.all([fixture.schedules.fire(request), fixture.schedules.remove('s')]);
      expect(await fixture.sql('SELECT * FROM pq_firing WHERE schedule_id = ?', [schedule.id])).toEqual([]);
    });

    it('say when the next of them fires', async () => {
      const fixture = await context.open();
      await planned(fixture, { name: 'later' }, 90_000);
      await planned(fixture, { name: 'sooner' }, 60_000);
      const { nextIn } = await fixture.schedules.pending(10);
      expect(nextIn).toBeGreaterThan(50_000);
      expect(nextIn).toBeLessThanOrEqual(60_000);
    });

    context.itWithSql('may be written by plain SQL with four columns', async () => {
      const fixture = await context.open();
      const { sql, service } = fixture;
      await sql("INSERT INTO pq_schedule (service, name, spec, type) VALUES (?, 'plain', '@daily', 't')", [service]);
      expect(await only(fixture)).toMatchObject({ name: 'plain', edited: true, enabled: true, misfire: 'once' });
      expect(await fixture.schedules.get('plain')).toMatchObject({ timeZone: 'UTC', overlap: 'allow', jitter: 0 });
    });

    context.itWithSql('are what docs/schedules.md writes with plain SQL', async () => {
      const { sql, schedules } = await context.open({ serviceName: 'shop' });
      const page = readFileSync('docs/schedules.md', 'utf8');
      const [, block = ''] = /```sql\n(.*?)```/s.exec(page) ?? [];
      const statements = block.split(';\n').filter((text) => text.trim() !== '');
      expect(statements).toHaveLength(3);
      for (const text of statements) await sql(text);
      expect(await schedules.get('clean')).toMatchObject({ spec: '0 4 * * *', payload: { days: 30 }, enabled: false });
    });

    context.itWithSql.each([
      "misfire = 'never'",
      "overlap = 'maybe'",
      'jitter = -1',
      'jitter = 8640000000000000',
      'misfire_limit = 0',
      'enabled = 2',
      "type = ''",
    ])('refuse %s from plain SQL', async (edit) => {
      const fixture = await context.open();
      await planned(fixture);
      await expect(
        fixture.sql(`UPDATE pq_schedule SET ${edit} WHERE service = ?`, [fixture.service]),
      ).rejects.toThrow();
    });
  });

  describe('firing', () => {
    it('makes one job for a fire time, however many nodes fire it', async () => {
      const fixture = await context.open();
      const schedule = await planned(fixture);
      const request = { schedule, times: [schedule.nextFire], missed: undefined, next: schedule.nextFire + 60_000 };
      const results = await Promise.all(Array.from({ length: 5 }, () => fixture.schedules.fire(request)));
      expect(results.filter((result) => result !== undefined)).toHaveLength(1);
      const { jobs } = await fixture.queue.find();
      const fireTime = new Date(schedule.nextFire);
      expect(jobs).toEqual([
        expect.objectContaining({
          type: 't',
          payload: { a: 1 },
          reference: 's',
          key: `s@${fireTime.toISOString()}`,
          traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
        }),
      ]);
      expect(await fixture.schedules.history('s', 10)).toEqual([
        { fireTime, outcome: 'fired', manual: false, jobId: jobs[0]?.id, jobState: 'waiting' },
      ]);
      expect(await fixture.schedules.get('s')).toMatchObject({
        lastFireAt: fireTime,
        nextFireAt: new Date(request.next),
      });
    });

    context.itWithSql('makes nothing of a plan that has been edited, disabled or removed meanwhile', async () => {
      for (const change of [
        (fixture: QueueFixture) =>
          fixture.sql("UPDATE pq_schedule SET spec = '@daily' WHERE service = ?", [fixture.service]),
        ({ schedules }: QueueFixture) => schedules.setEnabled('s', false),
        ({ schedules }: QueueFixture) => schedules.remove('s'),
      ]) {
        const fixture = await context.open();
        const schedule = await planned(fixture);
        await change(fixture);
        const request = { schedule, times: [schedule.nextFire], missed: undefined, next: undefined };
        expect(await fixture.schedules.fire(request)).toBeUndefined();
        expect((await fixture.queue.find()).jobs).toEqual([]);
      }
    });

    context.itWithSql('makes what the row says at that moment', async () => {
      const fixture = await context.open();
      const schedule = await planned(fixture);
      await fixture.sql(`UPDATE pq_schedule SET type = 'u', payload = '"new"' WHERE service = ?`, [fixture.service]);
      await fixture.schedules.fire({ schedule, times: [schedule.nextFire], missed: undefined, next: undefined });
      expect((await fixture.queue.find()).jobs).toMatchObject([{ type: 'u', payload: 'new' }]);
    });

    it('delays the job by up to the jitter', async () => {
      const fixture = await context.open();
      const schedule = await planned(fixture, { jitter: 60_000 });
      const times = Array.from({ length: 5 }, (_, n) => schedule.nextFire + n);
      await fixture.schedules.fire({ schedule, times, missed: undefined, next: undefined });
      const { jobs } = await fixture.queue.find();
      const delays = jobs.map(({ dueAt }) => dueAt.getTime() - schedule.nextFire);
      expect(Math.max(...delays)).toBeLessThanOrEqual(61_000);
      expect(new Set(delays).size).toBeGreaterThan(1);
    });

    context.itWithSql(
      'leaves out what has been fired already, when the clock was put back and the plan made again',
      async () => {
        const fixture = await context.open();
        const first = await planned(fixture);
        const [t1, t2] = [first.nextFire, first.nextFire + 1_000];
        await fixture.schedules.fire({ schedule: first, times: [t1, t2], missed: t1 - 1, next: undefined });
        await fixture.sql("UPDATE pq_schedule SET spec = '@every 2h' WHERE service = ?", [fixture.service]);
        await fixture.schedules.plan(await only(fixture), t1 - 1);
        const again = await only(fixture);
        const next = t2 + 1;
        const result = await fixture.schedules.fire({ schedule: again, times: [t1], missed: t1 - 1, next: t2 });
        expect(result).toMatchObject({ fired: [], skipped: [] });
        const last = { ...again, nextFire: t2 };
        expect(
          await fixture.schedules.fire({ schedule: last, times: [t2, next], missed: undefined, next: 0 }),
        ).toMatchObject({
          fired: [{ fireTime: next }],
        });
        expect((await fixture.queue.find()).jobs).toHaveLength(3);
      },
    );

    it('of nothing, because it has ended, is no firing', async () => {
      const fixture = await context.open();
      const schedule = await planned(fixture);
      await fixture.schedules.fire({ schedule, times: [], missed: undefined, next: undefined });
      expect((await fixture.schedules.get('s'))?.lastFireAt).toBeUndefined();
    });

    it('knows of a job that is open for longer than the history is kept', async () => {
      const fixture = await context.open({ retention: { history: 0 } });
      const schedule = await planned(fixture, { overlap: 'skip' });
      let nextFire = schedule.nextFire;
      for (const outcome of ['fired', 'skipped', 'skipped']) {
        const request = { schedule: { ...schedule, nextFire }, times: [nextFire], missed: undefined };
        const result = await fixture.schedules.fire({ ...request, next: ++nextFire });
        expect(result).toMatchObject({ [outcome]: [expect.anything()] });
      }
    });

    context.itWithSql(
      'of a queue waits while the schedule is disabled or broken, and says once that it is broken',
      async () => {
        const fixture = await context.open();
        const { schedules, sql, service } = fixture;
        const schedule = await planned(fixture, { overlap: 'queue' });
        const times = [schedule.nextFire, schedule.nextFire + 1];
        await schedules.fire({ schedule, times, missed: undefined, next: undefined });
        const job = await fixture.claimOne(await fixture.registerNode(), 't');
        await fixture.repository.settle([success(job)], 'node');
        await sql("UPDATE pq_schedule SET payload = '{oops' WHERE service = ?", [service]);
        expect(await schedules.fireQueued(schedule)).toMatchObject({ broken: expect.stringMatching(/payload/) });
        expect(await schedules.fireQueued(schedule)).toMatchObject({ fired: [], broken: undefined });
        await sql("UPDATE pq_schedule SET payload = '1' WHERE service = ?", [service]);
        await schedules.setEnabled('s', false);
        expect(await schedules.fireQueued(schedule)).toMatchObject({ fired: [] });
        await schedules.setEnabled('s', true);
        expect(await schedules.fireQueued(schedule)).toMatchObject({ fired: [{ fireTime: times[1] }] });
        expect((await schedules.get('s'))?.broken).toBeUndefined();
      },
    );

    it('writes down what was missed and skipped, and what overlaps', async () => {
      const fixture = await context.open();
      const schedule = await planned(fixture, { overlap: 'skip' });
      const [t1, t2, t3] = [schedule.nextFire, schedule.nextFire + 1, schedule.nextFire + 2];
      const result = await fixture.schedules.fire({ schedule, times: [t2, t3], missed: t1, next: undefined });
      expect(result).toMatchObject({ fired: [{ fireTime: t2 }], skipped: [t3] });
      const history = await fixture.schedules.history('s', 10);
      expect(history.map(({ outcome, fireTime }) => [outcome, fireTime.getTime()])).toEqual([
        ['skipped', t3],
        ['fired', t2],
        ['missed', t1],
      ]);
    });

    it('in a queue waits for the job before it, oldest first', async () => {
      const fixture = await context.open();
      const { schedules, queue } = fixture;
      const schedule = await planned(fixture, { overlap: 'queue' });
      const times = [0, 1, 2].map((n) => schedule.nextFire + n);
      const node = await fixture.registerNode();
      await schedules.fire({ schedule, times, missed: undefined, next: undefined });
      expect((await queue.find()).jobs).toHaveLength(1);
      for (const [done, fireTime] of times.entries()) {
        const pending = done < 2 ? await only(fixture) : schedule;
        expect(await schedules.fireQueued(pending)).toMatchObject({ fired: [] });
        const job = await fixture.claimOne(node, 't');
        expect(job.key).toBe(`s@${new Date(fireTime).toISOString()}`);
        await fixture.repository.settle([success(job)], 'node');
        const next = await schedules.fireQueued(pending);
        expect(next.fired.map((fired) => fired.fireTime)).toEqual(times.slice(done + 1, done + 2));
      }
      expect((await schedules.pending(10)).schedules).toEqual([]);
      expect((await schedules.history('s', 10)).map(({ outcome }) => outcome)).toEqual(['fired', 'fired', 'fired']);
    });

    context.itWithSql('of a payload that is no JSON breaks the schedule until it is mended, and moves on', async () => {
      const fixture = await context.open();
      const schedule = await planned(fixture);
      await fixture.sql("UPDATE pq_schedule SET payload = '{oops' WHERE service = ?", [fixture.service]);
      const next = schedule.nextFire + 1;
      const request = { schedule, times: [schedule.nextFire], missed: undefined, next };
      expect(await fixture.schedules.fire(request)).toMatchObject({
        fired: [],
        broken: expect.stringMatching(/payload/),
      });
      expect(await fixture.schedules.get('s')).toMatchObject({
        broken: expect.stringMatching(/payload/),
        nextFireAt: new Date(next),
      });
      await fixture.sql("UPDATE pq_schedule SET payload = '1' WHERE service = ?", [fixture.service]);
      await fixture.schedules.fire({
        ...request,
        schedule: { ...schedule, nextFire: next },
        times: [next],
        next: next + 1,
      });
      expect((await fixture.schedules.get('s'))?.broken).toBeUndefined();
      expect((await fixture.queue.find()).jobs).toMatchObject([{ payload: 1 }]);
    });

    it('now makes jobs beside the plan, two in a millisecond too, and of a disabled schedule', async () => {
      const fixture = await context.open();
      await fixture.schedules.save({ ...SCHEDULE, enabled: false, overlap: 'skip' });
      await Promise.all([fixture.schedules.fireNow('s'), fixture.schedules.fireNow('s')]);
      expect((await fixture.queue.find()).jobs).toHaveLength(2);
      expect(await fixture.schedules.history('s', 10)).toMatchObject([{ manual: true }, { manual: true }]);
    });

    context.itWithSql('deletes what has been kept for longer than the history', async () => {
      const fixture = await context.open({ retention: { history: '1h' } });
      const schedule = await planned(fixture);
      const { nextFire } = schedule;
      const sql = 'INSERT INTO pq_firing (schedule_id, fire_at, outcome) VALUES (?, ?, ?)';
      await fixture.sql(sql, [schedule.id, nextFire - 3_700_000, 'fired']);
      await fixture.sql(sql, [schedule.id, nextFire - 3_600_001, 'queued']);
      await fixture.sql(sql, [schedule.id, nextFire - 3_500_000, 'missed']);
      await fixture.schedules.fire({ schedule, times: [nextFire], missed: undefined, next: undefined });
      const left = (await fixture.schedules.history('s', 10)).map(({ outcome }) => outcome);
      expect(left).toEqual(['fired', 'missed', 'queued']);
    });
  });

  describe('declared schedules', () => {
    context.itWithSql('keep what was edited until the declaration itself changes', async () => {
      const { schedules, sql, service } = await context.open();
      await schedules.declare([SCHEDULE]);
      await sql("UPDATE pq_schedule SET spec = '@daily', enabled = 0 WHERE service = ?", [service]);
      await schedules.declare([SCHEDULE]);
      expect(await schedules.get('s')).toMatchObject({ spec: '@daily', enabled: false, declared: true });
      await schedules.declare([{ ...SCHEDULE, spec: '@weekly' }]);
      expect(await schedules.get('s')).toMatchObject({ spec: '@weekly', enabled: false });
    });

    it('are disabled when nobody declares them or handles their type, and enabled when somebody does again', async () => {
      const { schedules, repository } = await context.open();
      const node = await repository.registerNode({ name: 'old', concurrency: 1, types: handled('t') });
      await schedules.save({ ...SCHEDULE, name: 'own' });
      expect(await schedules.declare([SCHEDULE])).toEqual([]);
      expect(await schedules.declare([])).toEqual([]);
      await repository.retireNode(node);
      expect(await schedules.declare([])).toEqual(['s']);
      expect(await schedules.get('s')).toMatchObject({ enabled: false, gone: true });
      expect(await schedules.get('own')).toMatchObject({ enabled: true });
      expect(await schedules.declare([])).toEqual([]);
      await schedules.declare([SCHEDULE]);
      expect(await schedules.get('s')).toMatchObject({ enabled: true, gone: false });
    });

    it('that were disabled before their code was gone stay so when it comes back', async () => {
      const { schedules } = await context.open();
      await schedules.declare([SCHEDULE]);
      await schedules.setEnabled('s', false);
      expect(await schedules.declare([])).toEqual([]);
      await schedules.declare([SCHEDULE]);
      expect(await schedules.get('s')).toMatchObject({ enabled: false, gone: false });
    });

    it('stay enabled where somebody declares them while somebody else finds them gone', async () => {
      const { schedules, repository } = await context.open();
      const other = newSchedule({ name: 'other', type: 'u' });
      await schedules.declare([SCHEDULE, other]);
      for (let round = 0; round < 20; round++) {
        const boot = async (types: string[], declared: NewSchedule[]) => {
          const node = await repository.registerNode({ name: 'n', concurrency: 1, types: handled(...types) });
          await schedules.declare(declared);
          return node;
        };
        const nodes = await Promise.all([boot(['t'], [SCHEDULE]), boot(['u'], [other])]);
        expect((await schedules.list()).map(({ enabled }) => enabled)).toEqual([true, true]);
        for (const node of nodes) await repository.retireNode(node);
      }
    });

    it('that come back make up for what they have missed', async () => {
      const fixture = await context.open();
      const { schedules } = fixture;
      await schedules.declare([SCHEDULE]);
      const [first] = (await schedules.pending(10)).schedules;
      await schedules.plan(first as PendingSchedule, 1_000);
      await schedules.declare([]);
      expect((await schedules.pending(10)).schedules).toEqual([]);
      await schedules.declare([SCHEDULE]);
      expect(await only(fixture)).toMatchObject({ nextFire: 1_000, edited: false });
    });
  });

  describe('lateness', () => {
    context.itWithSql('is told once, and again when it is over', async () => {
      const fixture = await context.open();
      const { schedules, sql, service } = fixture;
      const schedule = await planned(fixture, { alertAfter: 60_000 });
      expect(await schedules.lateness()).toEqual([]);
      expect(await schedules.lateNow()).toEqual([]);
      await sql('UPDATE pq_schedule SET planned_at = planned_at - 61000 WHERE service = ?', [service]);
      expect(await schedules.lateNow()).toEqual([{ name: 's', late: true, since: expect.any(Number) }]);
      const both = (await Promise.all([schedules.lateness(), schedules.lateness()])).flat();
      expect(both).toEqual([{ name: 's', late: true, since: expect.any(Number) }]);
      expect(await schedules.lateNow()).toEqual(both);
      await schedules.fire({ schedule, times: [schedule.nextFire], missed: undefined, next: undefined });
      expect(await schedules.lateness()).toEqual([]);
      const job = await fixture.claimOne(await fixture.registerNode(), 't');
      await fixture.repository.settle([success(job, { keep: 0 })], 'node');
      expect(await schedules.lateNow()).toEqual([]);
      expect(await schedules.lateness()).toMatchObject([{ name: 's', late: false }]);
    });

    context.itWithSql('is none of a schedule whose jobs have succeeded and been removed since', async () => {
      const fixture = await context.open();
      const { queue, schedules, sql, service } = fixture;
      const schedule = await planned(fixture, { alertAfter: 60_000 });
      const times = [schedule.nextFire, schedule.nextFire + 1];
      await schedules.fire({ schedule, times, missed: undefined, next: undefined });
      const [one, other] = await fixture.claim(await fixture.registerNode(), 't');
      for (const job of [one, other] as ClaimedJob[])
        await fixture.repository.settle([success(job, { keep: 60_000 })], 'node');
      await queue.remove(one?.id ?? '');
      expect(await queue.remove({ type: 't' })).toBe(1);
      await sql('UPDATE pq_schedule SET planned_at = planned_at - 61000 WHERE service = ?', [service]);
      expect(await schedules.lateNow()).toEqual([]);
      expect(await schedules.lateness()).toEqual([]);
    });

    context.itWithSql('is nobody’s who did not ask for it', async () => {
      const fixture = await context.open();
      await planned(fixture);
      await fixture.sql('UPDATE pq_schedule SET planned_at = 1 WHERE service = ?', [fixture.service]);
      expect(await fixture.schedules.lateness()).toEqual([]);
    });
  });
}
