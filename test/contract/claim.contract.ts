import { describe, expect, it } from '@jest/globals';
import { waitUntil } from '../support/wait-until.js';
import type { ContractContext } from './contract-context.js';

export function claimContract(context: ContractContext): void {
  describe('claim', () => {
    context.itWithSql('takes a level in the order of due time, then id, whatever the order of insertion', async () => {
      const fixture = await context.open();
      const past = (ms: number) =>
        fixture.sql(
          `UPDATE pq_job SET due = due - ${ms} WHERE id = (SELECT x FROM (SELECT MAX(id) AS x FROM pq_job) y)`,
        );
      const ids: string[] = [];
      for (const age of [0, 5_000, 1_000, 9_000]) {
        ids.push((await fixture.queue.enqueue('t', null)).id);
        await past(age);
      }
      await fixture.queue.enqueueMany('t', [{ payload: 1 }, { payload: 2 }]);
      const node = await fixture.registerNode();
      const claimed = (await fixture.claim(node, 't')).map(({ id }) => id);
      expect(claimed.slice(0, 4)).toEqual([ids[3], ids[1], ids[2], ids[0]]);
      expect(claimed.slice(4)).toEqual(claimed.slice(4).sort((a, b) => Number(a) - Number(b)));
    });

    it('is led to the highest priority of each type', async () => {
      const { queue, repository } = await context.open();
      for (const priority of [0, 3, 9, 1]) await queue.enqueue('a', null, { priority });
      await queue.enqueue('b', null, { priority: 2 });
      await queue.enqueue('c', null, { delay: '1h' });
      const { ready, nextDueIn } = await repository.survey({ types: ['a', 'b', 'c', 'nobody'], sweep: false });
      expect(ready).toHaveLength(2);
      expect(ready).toEqual(
        expect.arrayContaining([
          { type: 'a', priority: 9 },
          { type: 'b', priority: 2 },
        ]),
      );
      expect(nextDueIn).toBeGreaterThan(3_590_000);
      expect(nextDueIn).toBeLessThanOrEqual(3_600_000);
    });

    it('never gives one job to two of 8 concurrent claimers', async () => {
      const first = await context.open();
      const claimers = [
        first,
        ...(await Promise.all(Array.from({ length: 7 }, () => context.open({ serviceName: first.service })))),
      ];
      await first.queue.enqueueMany(
        't',
        Array.from({ length: 480 }, (_, n) => ({ payload: n })),
      );
      const claimed = await Promise.all(
        claimers.map(async (claimer, n) => {
          const node = await claimer.registerNode(`claimer ${n}`);
          const mine: string[] = [];
          for (
            let jobs = await claimer.claim(node, 't', { limit: 7 });
            jobs.length > 0;
            jobs = await claimer.claim(node, 't', { limit: 7 })
          ) {
            mine.push(...jobs.map(({ id }) => id));
          }
          return mine;
        }),
      );
      // A claimer may have come away empty while others held locks on the last rows: nobody may have come away with a double.
      const all = claimed.flat();
      expect(new Set(all).size).toBe(all.length);
      const node = await first.registerNode('last');
      for (let jobs = await first.claim(node, 't'); jobs.length > 0; jobs = await first.claim(node, 't'))
        all.push(...jobs.map(({ id }) => id));
      expect(new Set(all).size).toBe(480);
      expect(all).toHaveLength(480);
    });

    it('raises the fence and leaves the attempts alone', async () => {
      const fixture = await context.open();
      const { id } = await fixture.queue.enqueue('t', null);
      expect(await fixture.claimOne(await fixture.registerNode(), 't')).toMatchObject({
        id,
        fence: 1,
        retries: 0,
        suspect: false,
      });
      expect(await fixture.queue.get(id)).toMatchObject({ state: 'running', fence: 1, retries: 0 });
      expect(await fixture.queue.history(id)).toEqual([]);
    });

    it('leaves jobs of other services, types and priorities, and jobs that are not due, where they are', async () => {
      const fixture = await context.open();
      const other = await context.open();
      await other.queue.enqueue('t', null);
      await fixture.queue.enqueue('T', null);
      await fixture.queue.enqueue('t', null, { priority: 1 });
      await fixture.queue.enqueue('t', null, { delay: 60_000 });
      expect(await fixture.claim(await fixture.registerNode(), 't')).toEqual([]);
    });

    it('gives nothing to a node that is not alive', async () => {
      const fixture = await context.open();
      await fixture.queue.enqueue('t', null);
      const node = await fixture.registerNode();
      await fixture.repository.retireNode(node);
      expect(await fixture.claim(node, 't')).toEqual([]);
    });

    context.itWithSql('finds a job that was committed behind what has been claimed within a second', async () => {
      const fixture = await context.open();
      const node = await fixture.registerNode();
      await fixture.queue.enqueueMany(
        't',
        Array.from({ length: 4 }, () => ({ payload: null })),
      );
      await fixture.claim(node, 't', { limit: 2 });
      await fixture.claim(node, 't', { limit: 1 });
      const { id } = await fixture.queue.enqueue('t', null);
      await fixture.sql('UPDATE pq_job SET due = due - 3600000 WHERE id = ?', [id]);
      const found = await waitUntil(
        async () => (await fixture.claim(node, 't', { limit: 1 })).find((job) => job.id === id),
        { timeout: 1_500 },
      );
      expect(found?.id).toBe(id);
    });

    it('counts a deadline of its type from the first due time, once', async () => {
      const fixture = await context.open();
      const { id } = await fixture.queue.enqueue('t', null);
      const { due } = await fixture.claimOne(await fixture.registerNode(), 't', { deadline: 5_000 });
      expect((await fixture.queue.get(id))?.deadline?.getTime()).toBe(due + 5_000);
    });
  });

  describe('a scheduled job', () => {
    context.itWithSql('waits for its time by the database clock, then is promoted', async () => {
      const fixture = await context.open();
      const { id } = await fixture.queue.enqueueAt('t', null, new Date(Date.now() + 3_600_000));
      expect((await fixture.queue.get(id))?.state).toBe('scheduled');
      expect(await fixture.repository.promote(10)).toBe(0);
      await fixture.sql('UPDATE pq_job SET due = due - 3600001 WHERE id = ?', [id]);
      expect((await fixture.repository.survey({ types: [], sweep: false })).nextDueIn).toBeLessThanOrEqual(0);
      expect(await fixture.repository.promote(10)).toBe(1);
      expect((await fixture.claimOne(await fixture.registerNode(), 't')).id).toBe(id);
    });

    it('whose time has passed when it is enqueued is waiting now', async () => {
      const fixture = await context.open();
      const { id } = await fixture.queue.enqueueAt('t', null, new Date('2001-01-01'));
      const job = await fixture.queue.get(id);
      expect(job?.state).toBe('waiting');
      expect(Math.abs((job?.dueAt.getTime() ?? 0) - (job?.createdAt.getTime() ?? 0))).toBeLessThan(1_000);
    });

    it('is promoted once when several nodes promote at the same time', async () => {
      const fixture = await context.open();
      const other = await context.open({ serviceName: fixture.service });
      await fixture.queue.enqueueMany(
        't',
        Array.from({ length: 60 }, () => ({ payload: null, delay: 10 })),
      );
      await waitUntil(
        async () => ((await fixture.repository.survey({ types: [], sweep: false })).nextDueIn ?? 0) < -10,
      );
      const promoted = await Promise.all(
        [fixture, other, fixture, other].map(({ repository }) => repository.promote(20)),
      );
      const rest = await fixture.repository.promote(100);
      expect(promoted.reduce((sum, count) => sum + count, rest)).toBe(60);
    });
  });
}
