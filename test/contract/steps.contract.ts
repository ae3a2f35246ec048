import { describe, expect, it } from '@jest/globals';
import type { ClaimedJob } from '../../lib/job/job.js';
import type { StepEnd, StepPlace } from '../../lib/job/step.js';
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
    await fixture.sql('UPDATE pq_node SET expires_at = 0 WHERE service = ?', [fixture.service]);
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
    it('are deleted with it: at once, and by its retention, also where its key stays for ever', async () => {
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
    });
  });
}
