import { describe, expect, it } from '@jest/globals';
import { releaseOf } from '../../lib/job/settlement.js';
import { retry, success } from '../support/queue-fixture.js';
import type { ContractContext } from './contract-context.js';

const NODE = 'host:1#1';

export function settleContract(context: ContractContext): void {
  describe('settle', () => {
    it('stores results and history of a batch, and answers that nothing was lost', async () => {
      const fixture = await context.open();
      const enqueued = await fixture.queue.enqueueMany('t', [{ payload: 1 }, { payload: 2 }]);
      const jobs = await fixture.claim(await fixture.registerNode(), 't');
      expect(
        await fixture.repository.settle(
          jobs.map((job) => success(job, { result: '{"sum":3}' })),
          NODE,
        ),
      ).toEqual([]);
      for (const { id } of enqueued) {
        expect(await fixture.queue.get(id)).toMatchObject({
          state: 'succeeded',
          result: { sum: 3 },
          finishedAt: expect.any(Date),
        });
        expect(await fixture.queue.history(id)).toEqual([
          expect.objectContaining({
            attempt: 1,
            fence: 1,
            node: NODE,
            outcome: 'succeeded',
            startedAt: expect.any(Date),
          }),
        ]);
      }
    });

    it('schedules a retry, counts it, and keeps its error', async () => {
      const fixture = await context.open();
      const { id } = await fixture.queue.enqueue('t', null);
      const node = await fixture.registerNode();
      await fixture.repository.settle([retry(await fixture.claimOne(node, 't'), 60_000)], NODE);
      const job = await fixture.queue.get(id);
      expect(job).toMatchObject({ state: 'scheduled', retries: 1, lastError: { name: 'Error', message: 'it broke' } });
      expect((job?.dueAt.getTime() ?? 0) - (job?.createdAt.getTime() ?? 0)).toBeGreaterThanOrEqual(60_000);
      expect(await fixture.queue.history(id)).toMatchObject([
        { outcome: 'retried', reason: 'error', error: { message: 'it broke' } },
      ]);
    });

    it('gives a released job back as it was', async () => {
      const fixture = await context.open();
      const { id } = await fixture.queue.enqueue('t', null);
      const node = await fixture.registerNode();
      const job = await fixture.claimOne(node, 't');
      await fixture.repository.settle([releaseOf(job)], NODE);
      expect(await fixture.queue.get(id)).toMatchObject({ state: 'waiting', retries: 0, dueAt: new Date(job.due) });
      expect(await fixture.queue.history(id)).toEqual([]);
      expect((await fixture.claimOne(node, 't')).fence).toBe(2);
    });

    it('sent twice, because an answer was lost, changes nothing more', async () => {
      const fixture = await context.open();
      const { id } = await fixture.queue.enqueue('t', null);
      const settlement = success(await fixture.claimOne(await fixture.registerNode(), 't'), { result: '1' });
      await fixture.repository.settle([settlement], NODE);
      expect(await fixture.repository.settle([settlement], NODE)).toEqual([]);
      expect(await fixture.queue.history(id)).toHaveLength(1);
      expect((await fixture.queue.get(id))?.result).toBe(1);
    });
  });

  describe('a write whose fence is gone', () => {
    it('changes neither the job nor its history, and is answered as lost', async () => {
      const fixture = await context.open({ lease: { duration: 100, beat: 20 } });
      const { id } = await fixture.queue.enqueue('t', null);
      const late = await fixture.claimOne(await fixture.registerNode(), 't');
      await fixture.silence();
      expect(await fixture.repository.rescue(10)).toMatchObject([{ id, state: 'waiting' }]);
      const current = await fixture.claimOne(await fixture.registerNode(), 't');
      expect(current.fence).toBeGreaterThan(late.fence);

      expect(await fixture.repository.settle([success(late, { result: '"late"' })], NODE)).toEqual([id]);
      expect(await fixture.repository.settle([retry(late, 0)], NODE)).toEqual([id]);
      expect(await fixture.repository.settle([releaseOf(late)], NODE)).toEqual([id]);
      expect(await fixture.repository.recordStarts([{ ...late, ago: 0 }])).toEqual([id]);
      expect(await fixture.queue.get(id)).toMatchObject({
        state: 'running',
        fence: current.fence,
        result: undefined,
        retries: 0,
      });
      expect(await fixture.queue.history(id)).toEqual([]);

      expect(await fixture.repository.settle([success(current, { result: '"right"' })], NODE)).toEqual([]);
      expect(await fixture.repository.settle([success(late, { result: '"late"' })], NODE)).toEqual([id]);
      expect((await fixture.queue.get(id))?.result).toBe('right');
      expect(await fixture.queue.history(id)).toMatchObject([{ fence: current.fence, outcome: 'succeeded' }]);
    });

    it('is lost whatever the rest of its batch is', async () => {
      const fixture = await context.open();
      await fixture.queue.enqueueMany('t', [{ payload: 1 }, { payload: 2 }, { payload: 3 }]);
      const [failed, succeeded, open] = await fixture.claim(await fixture.registerNode(), 't');
      if (failed === undefined || succeeded === undefined || open === undefined) throw new Error('claimed too few');
      await fixture.repository.settle([success(failed, { state: 'failed' }), success(succeeded)], NODE);
      // A neighbour leaves the state that the contradiction claims to have left.
      const batch = [success(failed, { keep: 0 }), success(succeeded), success(open)];
      expect(await fixture.repository.settle(batch, NODE)).toEqual([failed.id]);
      const deletion = [success(failed, { keep: 0 }), success(succeeded, { state: 'failed', keep: 0 })];
      expect(await fixture.repository.settle(deletion, NODE)).toEqual([failed.id, succeeded.id]);
      expect((await fixture.queue.get(failed.id))?.state).toBe('failed');
      expect((await fixture.queue.get(succeeded.id))?.state).toBe('succeeded');
    });

    it('does not keep the claim after it, in the same batch, from being deleted at once', async () => {
      const fixture = await context.open();
      const { id } = await fixture.queue.enqueue('t', null);
      const late = await fixture.claimOne(await fixture.registerNode(), 't');
      await fixture.silence();
      await fixture.repository.rescue(10);
      const current = await fixture.claimOne(await fixture.registerNode(), 't');
      const batch = [late, current].map((job) => success(job, { keep: 0 }));
      expect(await fixture.repository.settle(batch, NODE)).toEqual([id]);
      expect(await fixture.queue.get(id)).toBeUndefined();
    });

    context.itWithSql('does not hold back the rest of its batch', async () => {
      const fixture = await context.open();
      const [first] = await fixture.queue.enqueueMany('t', [{ payload: 1 }, { payload: 2 }]);
      const jobs = await fixture.claim(await fixture.registerNode(), 't');
      await fixture.sql('UPDATE pq_job SET fence = fence + 1 WHERE id = ?', [first?.id]);
      expect(
        await fixture.repository.settle(
          jobs.map((job) => success(job)),
          NODE,
        ),
      ).toEqual([first?.id]);
      expect(await fixture.queue.counts()).toEqual([
        { type: 't', state: 'running', count: 1 },
        { type: 't', state: 'succeeded', count: 1 },
      ]);
    });
  });
}
