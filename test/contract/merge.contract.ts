import { describe, expect, it } from '@jest/globals';
import { buildJob } from '../../lib/queue/build-job.js';
import { endSessionsBeside } from '../support/sessions.js';
import type { ContractContext } from './contract-context.js';

const CALLERS = 300;

/** Enqueues of many callers at once are written together: each must be answered as if it had been alone. */
export function mergeContract(context: ContractContext): void {
  const job = (type: string, n: number) => buildJob(type, { payload: { n } }, 1_000);

  describe('jobs of many callers at once', () => {
    it('are all there when their callers are told so, each with its own id and in the order of the calls', async () => {
      const { queue } = await context.open();
      const enqueued = await Promise.all(Array.from({ length: CALLERS }, (_, n) => queue.enqueue('t', { n })));
      expect(new Set(enqueued.map(({ id }) => id)).size).toBe(CALLERS);
      const { jobs } = await queue.find({ type: 't' }, { limit: 1_000 });
      expect(jobs).toHaveLength(CALLERS);
      const payloads = new Map(jobs.map(({ id, payload }) => [id, payload]));
      expect(enqueued.map(({ id }) => payloads.get(id))).toEqual(enqueued.map((_, n) => ({ n })));
    });

    it('that the database refuses are refused alone: their neighbours are stored, once', async () => {
      const { repository, queue } = await context.open();
      // The queue would never ask for it.
      const bad = { ...job('t', -1), priority: 99 };
      const answers = await Promise.allSettled(
        Array.from({ length: CALLERS }, (_, n) => repository.insert([n % 100 === 50 ? bad : job('t', n)])),
      );
      expect(answers.filter(({ status }) => status === 'rejected')).toHaveLength(CALLERS / 100);
      const { jobs } = await queue.find({ type: 't' }, { limit: 1_000 });
      expect(new Set(jobs.map(({ payload }) => JSON.stringify(payload))).size).toBe(CALLERS - CALLERS / 100);
      expect(jobs).toHaveLength(CALLERS - CALLERS / 100);
    });

    it('are stored once or not at all when connections break, and are there where that was promised', async () => {
      if (context.database.name === 'sqlite') return;
      const { queue } = await context.open({ connections: { max: 3 } });
      await queue.enqueue('first');
      const killer = await context.schema.connect();
      const answers: PromiseSettledResult<{ id: string }>[] = [];
      for (let round = 0; round < 5; round++) {
        const calls = Array.from({ length: 100 }, (_, n) => queue.enqueue('t', { n: round * 100 + n }));
        await endSessionsBeside(killer);
        answers.push(...(await Promise.allSettled(calls)));
      }
      const { jobs } = await queue.find({ type: 't' }, { limit: 1_000 });
      const ids = new Set(jobs.map(({ id }) => id));
      const promised = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value.id] : []));
      expect(promised.filter((id) => !ids.has(id))).toEqual([]);
      expect(new Set(jobs.map(({ payload }) => JSON.stringify(payload))).size).toBe(jobs.length);
      await killer.destroy();
    });
  });
}
