import { describe, expect, it } from '@jest/globals';
import type { ClaimedJob } from '../../lib/job/job.js';
import type { PlannedStep, StepEnd, StepPlace } from '../../lib/job/step.js';
import { success, type QueueFixture } from '../support/queue-fixture.js';
import type { ContractContext } from './contract-context.js';

const NODE = 'host:1#1';

const call = (name: string, place = 1): StepPlace => ({ name, kind: 'call', parent: '', place });
const nap = (name: string): StepPlace => ({ name, kind: 'sleep', parent: '', place: 1 });

function done(place: StepPlace, result: string | undefined, rest: Partial<StepEnd> = {}): StepEnd {
  const now = performance.now();
  const end = { state: 'succeeded', attempts: 1, startedAt: now - 20, endedAt: now, context: undefined } as const;
  return { ...place, ...end, result, error: undefined, ...rest };
}

export function stepsContract(context: ContractContext): void {
  async function claimed(fixture: QueueFixture, payload: unknown = null): Promise<ClaimedJob> {
    await fixture.queue.enqueue('t', payload);
    return fixture.claimOne(await fixture.registerNode(), 't');
  }

  async function takenAway(fixture: QueueFixture): Promise<{ late: ClaimedJob; current: ClaimedJob }> {
    const late = await claimed(fixture);
    await fixture.silence();
    await fixture.repository.rescue(10);
    return { late, current: await fixture.claimOne(await fixture.registerNode(), 't') };
  }

  describe('a step', () => {
    it('is saved once: an end that is sent again, or a later failure, changes nothing', async () => {
      const fixture = await context.open();
      const { steps } = fixture;
      const job = await claimed(fixture);
      expect(await steps.load(job.id)).toEqual([]);
      const end = done(call('a'), '{"text":"zwölf ✓"}');
      expect(await steps.save(job, end)).toBe('saved');
      expect(await steps.save(job, end)).toBe('succeeded before');
      expect(await steps.save(job, done(call('a'), undefined, { state: 'failed' }))).toBe('succeeded before');
      const expected = { name: 'a', kind: 'call', parent: '', place: 1, attempts: 1, result: '{"text":"zwölf ✓"}' };
      expect(await steps.load(job.id)).toMatchObject([{ ...expected, state: 'succeeded', error: undefined }]);
    });

    it('counts its failed attempts, and forgets their errors when it succeeds', async () => {
      const fixture = await context.open();
      const { steps } = fixture;
      const job = await claimed(fixture);
      const error = { name: 'Error', message: 'it broke' };
      await steps.save(job, done(call('b', 2), undefined, { state: 'failed', error }));
      await steps.save(job, done(call('a', 1), '1'));
      expect(await steps.load(job.id)).toMatchObject([{ name: 'a' }, { name: 'b', state: 'failed', error }]);
      await steps.save(job, done(call('b', 2), '2', { attempts: 2 }));
      expect((await steps.load(job.id))[1]).toMatchObject({ state: 'succeeded', attempts: 2, error: undefined });
    });

    it("has a name that is compared byte by byte: 'A', 'a', 'a ' and 'á' are four", async () => {
      const fixture = await context.open();
      const job = await claimed(fixture);
      const names = ['A', 'a', 'a ', 'á'];
      for (const [place, name] of names.entries()) {
        expect(await fixture.steps.save(job, done(call(name, place), `"${name}"`))).toBe('saved');
      }
      expect((await fixture.steps.load(job.id)).map(({ name, result }) => [name, result])).toEqual(
        names.map((name) => [name, `"${name}"`]),
      );
    });

    it('of a claim that is over is not saved, and a sleep neither', async () => {
      const fixture = await context.open();
      const { late, current } = await takenAway(fixture);
      expect(await fixture.steps.save(late, done(call('a'), '"late"'))).toBe('lost');
      expect(await fixture.steps.sleep(late, nap('n'), { delay: 5 })).toBeUndefined();
      expect(await fixture.steps.load(late.id)).toEqual([]);
      expect(await fixture.steps.save(current, done(call('a'), '"right"'))).toBe('saved');
      expect(await fixture.steps.save(late, done(call('a'), '"late"'))).toBe('lost');
      await fixture.repository.settle([success(current)], NODE);
      expect(await fixture.steps.save(current, done(call('b'), '"after its end"'))).toBe('lost');
      expect(await fixture.steps.load(late.id)).toMatchObject([{ name: 'a', result: '"right"' }]);
    });

    it("in the caller's transaction is committed or rolled back with it, and refused without the claim", async () => {
      const fixture = await context.open();
      const { late, current } = await takenAway(fixture);
      const { dataSource, steps, service } = fixture;
      const base = Number(service.replaceAll(/\D/g, '')) * 100 + 1_000_000;
      const attempt = (job: ClaimedJob, purchase: number, commit: boolean) =>
        dataSource.transaction(async (manager) => {
          await manager.query(`INSERT INTO purchase (id) VALUES (${purchase})`);
          const answer = await steps.saveIn(manager, job, done(call('a'), String(purchase)));
          if (!commit || answer !== 'saved') throw new Error(answer);
        });
      await expect(attempt(current, base, false)).rejects.toThrow('saved');
      expect(await steps.load(current.id)).toEqual([]);
      await expect(attempt(late, base + 1, true)).rejects.toThrow('lost');
      await attempt(current, base + 2, true);
      await expect(attempt(current, base + 3, true)).rejects.toThrow('succeeded before');
      expect(await steps.load(current.id)).toMatchObject([{ result: String(base + 2) }]);
      const rows = await fixture.sql<{ id: number }>('SELECT id FROM purchase WHERE id >= ? AND id < ?', [
        base,
        base + 100,
      ]);
      expect(rows.map(({ id }) => id)).toEqual([base + 2]);
    });
  });

  describe('a sleep', () => {
    it("ends by the database's clock, when its first call has said", async () => {
      const fixture = await context.open();
      const { steps } = fixture;
      const job = await claimed(fixture);
      expect(await steps.sleep(job, nap('n'), { delay: 60_000 })).toBeGreaterThan(50_000);
      const left = (await steps.sleep(job, nap('n'), { delay: 1 })) ?? 0;
      expect(left).toBeGreaterThan(50_000);
      expect(left).toBeLessThanOrEqual(60_000);
      expect(await steps.sleep(job, nap('past'), { at: job.now - 1_000 })).toBeLessThanOrEqual(-1_000);
      const [first] = await steps.load(job.id);
      expect(first).toMatchObject({ name: 'n', kind: 'sleep', state: 'sleeping' });
      expect(first?.left).toBeGreaterThan(50_000);
    });
  });

  describe('the steps of a job', () => {
    context.itWithSql(
      'are deleted with it: at once, and by its retention, also where its key stays for ever',
      async () => {
        const fixture = await context.open();
        const { steps, queue, sql, service } = fixture;
        await queue.enqueue('t', 1);
        await queue.enqueue('t', 2);
        await queue.enqueue('t', 3, { key: 'k', keyScope: 'forever' });
        await queue.enqueue('t', 4);
        const jobs = await fixture.claim(await fixture.registerNode(), 't');
        for (const job of jobs) await steps.save(job, done(call('a'), '1'));
        const keep = (index: number) => (index === 0 ? 0 : 86_400_000);
        const settled = jobs.map((job, index) => success(job, { keep: keep(index), hasSteps: true }));
        await fixture.repository.settle(settled, NODE);
        const counts = () => Promise.all(jobs.map(async ({ id }) => (await steps.load(id)).length));
        expect(await counts()).toEqual([0, 1, 1, 1]);
        await sql('UPDATE pq_job SET expires_at = 1 WHERE service = ? AND id < ?', [service, Number(jobs[3]?.id)]);
        await fixture.repository.prune(10);
        expect(await counts()).toEqual([0, 0, 0, 1]);
      },
    );
  });
  describe('the plan of a multi-step job', () => {
    const planned = (names: string[], skipped: string[] = []): PlannedStep[] =>
      names.map((name, index) => ({
        name,
        place: index + 1,
        description: `step ${name}`,
        skipped: skipped.includes(name),
      }));
    const step = (name: string, place: number): StepPlace => ({ name, kind: 'step', parent: '', place });
    const states = async (fixture: QueueFixture, id: string) =>
      (await fixture.steps.load(id)).map(({ name, place, state }) => `${place} ${name} ${state}`);

    it('is written once, and follows a newer definition: what has succeeded stays, the rest is as defined', async () => {
      const fixture = await context.open();
      const { steps } = fixture;
      const job = await claimed(fixture);
      expect(await steps.plan(job, planned(['a', 'b', 'c']))).toBe(true);
      expect(await steps.plan(job, planned(['a', 'b', 'c']))).toBe(true);
      expect(await states(fixture, job.id)).toEqual(['1 a waiting', '2 b waiting', '3 c waiting']);
      await steps.save(job, done(step('a', 1), undefined, { context: '{"a":1}' }));
      await steps.save(job, done({ ...call('b/x'), parent: 'b' }, '1'));
      await steps.plan(job, planned(['new', 'a', 'c', 'd'], ['new']));
      const expected = ['1 new skipped', '2 a succeeded', '3 c waiting', '4 d waiting'];
      expect(await states(fixture, job.id)).toEqual(expected);
      const { total, done: count, context: saved, steps: listed } = await fixture.queue.steps(job.id);
      expect({ total, count, saved }).toEqual({ total: 4, count: 2, saved: { a: 1 } });
      expect(listed[2]).toMatchObject({ name: 'c', state: 'running', description: 'step c' });
    });

    it('is not written by a claim that is over, and neither is why a job waits', async () => {
      const fixture = await context.open();
      const { late, current } = await takenAway(fixture);
      expect(await fixture.steps.plan(late, planned(['late']))).toBe(false);
      expect(await fixture.steps.report(late, { name: 'E', message: 'late' })).toBe(false);
      expect(await fixture.steps.load(late.id)).toEqual([]);
      expect(await fixture.steps.report(current, { name: 'E', message: 'right' })).toBe(true);
      expect((await fixture.queue.get(late.id))?.lastError).toEqual({ name: 'E', message: 'right' });
    });

    async function failed(fixture: QueueFixture): Promise<string> {
      const { steps } = fixture;
      const job = await claimed(fixture, { n: 0 });
      await steps.plan(job, planned(['a', 'b', 'c']));
      await steps.save(job, done(step('a', 1), '"A"', { context: '{"n":1}' }));
      await steps.save(job, done({ ...call('b/x'), parent: 'b' }, '1'));
      await steps.save(
        job,
        done(step('b', 2), undefined, { state: 'failed', attempts: 4, error: { name: 'E', message: 'e' } }),
      );
      await steps.save(job, done({ name: '/OnJobFailed', kind: 'callback', parent: '', place: 9 }, undefined));
      await fixture.repository.settle([success(job, { state: 'failed', hasSteps: true })], NODE);
      return job.id;
    }

    it.each(['one', 'all'])(
      'gives a retried job (%s) its retries back, and keeps what has succeeded',
      async (which) => {
        const fixture = await context.open();
        const id = await failed(fixture);
        await (which === 'one' ? fixture.queue.retry(id) : fixture.queue.retry({ type: 't' }));
        expect((await fixture.steps.load(id)).map(({ name, state, attempts }) => [name, state, attempts])).toEqual([
          ['a', 'succeeded', 1],
          ['b/x', 'succeeded', 1],
          ['b', 'waiting', 0],
          ['c', 'waiting', 0],
        ]);
      },
    );

    it('lets an ended job begin again at a step that it has come to, once, with the context of that step', async () => {
      const fixture = await context.open();
      const { queue, steps } = fixture;
      const id = await failed(fixture);
      await expect(queue.restart(id, { fromStep: 'c' })).rejects.toThrow(/can be restarted from a, b/);
      const answers = await Promise.allSettled(
        [1, 2, 3].map((n) => queue.restart(id, { fromStep: 'b', context: { n } })),
      );
      expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(await queue.get(id)).toMatchObject({ state: 'waiting', retries: 0, finishedAt: undefined });
      const saved = await steps.load(id);
      expect(saved.map(({ name, state, attempts }) => `${name} ${state} ${attempts}`)).toEqual([
        'a succeeded 1',
        'b waiting 0',
        'c waiting 0',
      ]);
      expect(saved[0]).toMatchObject({ context: '{"n":1}', result: '"A"' });
      expect(saved[1]).toMatchObject({ error: undefined, input: expect.stringMatching(/^\{"n":[123]\}$/) });
    });

    it('of another service is neither seen nor restarted', async () => {
      const fixture = await context.open();
      const id = await failed(fixture);
      const other = await context.open();
      expect(await other.queue.steps(id)).toEqual({ total: 0, done: 0, context: undefined, steps: [] });
      await expect(other.queue.restart(id, { fromStep: 'a' })).rejects.toThrow(/No such job/);
    });
  });
}
