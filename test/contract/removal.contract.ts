import { describe, expect, it } from '@jest/globals';
import { JobNotFoundError } from '../../lib/errors/job-not-found.error.js';
import { JobStateError } from '../../lib/errors/job-state.error.js';
import type { QueueEvent } from '../../lib/events/queue-event.js';
import { success, type QueueFixture } from '../support/queue-fixture.js';
import type { ContractContext } from './contract-context.js';

const DAY = 86_400_000;

const many = (count: number) => Array.from({ length: count }, (_, n) => ({ payload: n }));

export function removalContract(context: ContractContext): void {
  describe('removing', () => {
    it('a job that has ended deletes all that is kept of it, and nothing of others', async () => {
      const fixture = await context.open();
      const { queue, steps } = fixture;
      const [id = '', other = ''] = (await queue.enqueueMany('t', many(2))).map((job) => job.id);
      const jobs = await fixture.claim(await fixture.registerNode(), 't');
      for (const job of jobs) await steps.plan(job, [{ name: 's', place: 1, skipped: false, description: undefined }]);
      await settle(fixture, jobs);
      await queue.remove(id);
      expect(await queue.get(id)).toBeUndefined();
      expect([await queue.history(id), await queue.log(id), (await queue.steps(id)).steps]).toEqual([[], [], []]);
      expect(await queue.get(other)).toBeDefined();
      expect(await queue.history(other)).toHaveLength(1);
      expect(await queue.log(other)).toHaveLength(1);
      expect((await queue.steps(other)).steps).toHaveLength(1);
      await expect(queue.remove(id)).rejects.toThrow(JobNotFoundError);
    });

    it('an open job is refused, and so is one of another service', async () => {
      const fixture = await context.open();
      const { queue } = fixture;
      const scheduled = await queue.enqueue('later', 1, { delay: '1h' });
      const { id } = await queue.enqueue('t', 1);
      await expect(queue.remove(scheduled.id)).rejects.toThrow(JobStateError);
      await expect(queue.remove(id)).rejects.toThrow(JobStateError);
      const claimed = await fixture.claimOne(await fixture.registerNode(), 't');
      await expect(queue.remove(id)).rejects.toThrow(/running/);
      await settle(fixture, [claimed]);
      await expect((await context.open()).queue.remove(id)).rejects.toThrow(JobNotFoundError);
      expect((await queue.get(id))?.state).toBe('succeeded');
    });

    it("the job of a key of scope 'forever' leaves the key, once", async () => {
      const fixture = await context.open();
      const { queue } = fixture;
      const options = { key: 'k', keyScope: 'forever' } as const;
      const { id } = await queue.enqueue('t', 'secret', options);
      await settle(fixture, await fixture.claim(await fixture.registerNode(), 't'));
      expect(await queue.remove({})).toBe(1);
      expect(await queue.get(id)).toMatchObject({ key: 'k', payload: undefined, result: undefined });
      expect(await queue.history(id)).toEqual([]);
      expect(await queue.enqueue('t', 'again', options)).toEqual({ id, created: false });
      expect(await queue.remove({})).toBe(0);
    });

    it("what is left of the job of a key of scope 'forever' is not a job any more: it never runs again", async () => {
      const fixture = await context.open();
      const { queue } = fixture;
      const enqueue = async (key: string) => (await queue.enqueue('t', 'secret', { key, keyScope: 'forever' })).id;
      const [failed, cancelled] = [await enqueue('f'), await enqueue('c')];
      await queue.cancel(cancelled);
      const claimed = await fixture.claimOne(await fixture.registerNode(), 't');
      await fixture.repository.settle([success(claimed, { state: 'failed', keep: DAY })], 'n');
      expect(await queue.remove({})).toBe(2);
      expect(await queue.retry({ state: ['failed', 'cancelled'] })).toBe(0);
      for (const id of [failed, cancelled]) {
        await expect(queue.retry(id)).rejects.toThrow(JobNotFoundError);
        await expect(queue.remove(id)).rejects.toThrow(JobNotFoundError);
      }
      expect(await queue.get(failed)).toMatchObject({ key: 'f', state: 'failed', payload: undefined });
      expect((await queue.get(cancelled))?.state).toBe('cancelled');
    });

    it('by filter deletes the ended jobs that match, in batches, and leaves open ones alone', async () => {
      const fixture = await context.open();
      const { queue } = fixture;
      const told: QueueEvent[] = [];
      const events = queue.events$.subscribe((event) => told.push(event));
      await queue.enqueueMany('t', many(502));
      await settle(fixture, await fixture.claim(await fixture.registerNode(), 't', { limit: 501 }));
      const cancelled = await queue.enqueue('u');
      await queue.cancel(cancelled.id);
      expect(await queue.remove({ type: 't', state: ['waiting', 'running', 'failed'] })).toBe(0);
      told.splice(0);
      expect(await queue.remove({ type: 't' })).toBe(501);
      events.unsubscribe();
      expect(told).toEqual([
        { name: 'remove.progress', removed: 500 },
        { name: 'remove.progress', removed: 501 },
      ]);
      expect(await queue.counts()).toEqual([
        { type: 't', state: 'waiting', count: 1 },
        { type: 'u', state: 'cancelled', count: 1 },
      ]);
      expect(await queue.remove({ state: 'cancelled' })).toBe(1);
    });

    it('by the time of the end keeps what has ended since', async () => {
      const fixture = await context.open();
      const { queue } = fixture;
      const open = await queue.enqueue('later', 1, { delay: '1h' });
      const { id } = await queue.enqueue('t', 1);
      await settle(fixture, await fixture.claim(await fixture.registerNode(), 't'));
      const end = (await queue.get(id))?.finishedAt ?? new Date(0);
      const after = new Date(end.getTime() + 1);
      expect(await queue.remove({ finishedUntil: end })).toBe(0);
      expect((await queue.find({ finishedUntil: after })).jobs.map((job) => job.id)).toEqual([id]);
      expect(await queue.remove({ finishedUntil: after })).toBe(1);
      expect(await queue.get(open.id)).toBeDefined();
    });
  });
}

async function settle(fixture: QueueFixture, jobs: readonly Parameters<typeof success>[0][]): Promise<void> {
  const notes = { progress: '1', lines: [{ line: 1, at: performance.now(), message: 'hello' }] };
  const settled = jobs.map((job) => success(job, { keep: DAY, notes }));
  expect(await fixture.repository.settle(settled, 'n')).toEqual([]);
}
