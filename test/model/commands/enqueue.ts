import { expect } from '@jest/globals';
import * as fc from 'fast-check';
import { KeyTakenError } from '../../../lib/errors/key-taken.error.js';
import type { EnqueuedJob } from '../../../lib/job/job.js';
import type { EnqueueRequest, Model } from '../model.js';
import { HOUR, newJob } from '../model-state.js';
import { command } from './command.js';

/** Compared byte by byte: to a careless database they are one. */
export const TYPES = ['t', 'T'] as const;
/** Most jobs meet in one level: only there is an order, a limit that cuts, and a rival for a key. */
export const anyType = fc.constantFrom(...TYPES, 't' as const);
const unkeyed = {
  payload: fc.nat({ max: 1 }),
  priority: fc.constantFrom(0, 0, 5),
  delay: fc.constantFrom(0, 0, HOUR, 3 * HOUR),
};
const keyed = {
  ...unkeyed,
  key: fc.constantFrom('a', 'a', 'b', 'b '),
  keyScope: fc.constantFrom('row' as const, 'open' as const, 'open' as const, 'forever' as const, 'forever' as const),
  onConflict: fc.constantFrom('return' as const, 'error' as const),
};
const requests: fc.Arbitrary<EnqueueRequest[]> = fc.array(fc.oneof(fc.record(unkeyed), fc.record(keyed)), {
  minLength: 1,
  maxLength: 4,
});

export const enqueue = command('enqueue', {
  argument: fc.record({ type: anyType, requests }),
  async run(model, { fixture }, { type: jobType, requests: jobs }) {
    const enqueued = fixture.queue.enqueueMany(jobType, jobs);
    if (model.refuses(jobType, jobs)) return expect(enqueued).rejects.toThrow(KeyTakenError);
    follow(model, jobType, jobs, await enqueued);
  },
});

/** With the application's transaction, or not at all. */
export const enqueueInTransaction = command('enqueueInTransaction', {
  argument: fc.record({ type: anyType, requests, commits: fc.boolean() }),
  async run(model, { fixture }, { type: jobType, requests: jobs, commits }) {
    const rollback = new Error('the application rolls back');
    const enqueued = fixture.queue.transaction(async () => {
      const answer = await fixture.queue.enqueueMany(jobType, jobs);
      if (!commits) throw rollback;
      return answer;
    });
    if (model.refuses(jobType, jobs)) return expect(enqueued).rejects.toThrow(KeyTakenError);
    if (!commits) return expect(enqueued).rejects.toBe(rollback);
    follow(model, jobType, jobs, await enqueued);
  },
});

/** Another producer, which may write waiting jobs of the future, and of the past: due before jobs with lower ids. */
export const insertByHand = command('insertByHand', {
  argument: fc.record({ type: anyType, delay: fc.constantFrom(-HOUR, -HOUR, 0, HOUR) }),
  async run(model, { fixture }, { type: jobType, delay }) {
    const columns = [fixture.service, jobType, '0', ...(delay === 0 ? [] : [Date.now() + delay])];
    await fixture.sql(
      `INSERT INTO pq_job (service, type, payload${delay === 0 ? '' : ', due'}) VALUES (${columns.map(() => '?').join(', ')})`,
      columns,
    );
    const [row] = await fixture.sql('SELECT MAX(id) AS id FROM pq_job WHERE service = ?', [fixture.service]);
    model.add(newJob(String(row?.['id']), { type: jobType, payload: '0', state: 'waiting', due: 0 }), delay);
  },
});

function follow(model: Model, jobType: string, jobs: readonly EnqueueRequest[], answers: EnqueuedJob[]): void {
  const before = Math.max(0, ...[...model.jobs.keys()].map(Number));
  const created = answers.filter((answer) => answer.created).map(({ id }) => Number(id));
  expect(created.every((id, index) => id > (created[index - 1] ?? before))).toBe(true);
  expect(answers).toEqual(jobs.map((job, index) => model.enqueue(jobType, job, answers[index]?.id ?? '')));
}
