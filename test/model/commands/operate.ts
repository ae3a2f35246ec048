import { expect } from '@jest/globals';
import * as fc from 'fast-check';
import type { JobChange } from '../../../lib/job/job-change.js';
import type { JobState } from '../../../lib/job/job-state.js';
import { publicState } from '../model.js';
import { ENDED } from '../model-state.js';
import { command, pick, pickLikely } from './command.js';
import { anyType } from './enqueue.js';

/** One thing after the other to the same job: begun anew by hand, it must have forgotten all that it has been through. */
const verbs = fc.constantFrom<readonly JobChange[]>(['cancel'], ['retry'], ['cancel', 'retry'], ['runNow']);

export const change = command('change', {
  argument: fc.record({ job: fc.nat(), verbs, isAllowed: fc.constantFrom(true, true, true, false) }),
  async run(model, { fixture }, { job, verbs: [first = 'cancel', ...others], isAllowed }) {
    const ids = [...model.jobs.keys(), '999999999'];
    const id = pickLikely(ids, (each) => model.allows(each, first) === isAllowed, job);
    for (const verb of [first, ...others]) {
      const refused = await fixture.queue[verb](id).then(
        () => undefined,
        (error: Error) => error.constructor.name,
      );
      expect(refused).toBe(model.change(id, verb));
    }
  },
});

export const retryBatch = command('retryBatch', {
  argument: fc.record({
    type: anyType,
    states: fc.constantFrom<JobState[]>(['failed'], ['cancelled'], ['failed', 'cancelled'], ['failed', 'cancelled']),
    limit: fc.constantFrom(1, 2, 100),
  }),
  async run(model, { fixture }, { type: jobType, states, limit }) {
    const any = {
      key: undefined,
      reference: undefined,
      createdFrom: undefined,
      createdUntil: undefined,
      finishedUntil: undefined,
    };
    const batch = await fixture.repository.retryBatch({ ...any, type: jobType, states }, '0', limit);
    expect(batch).toEqual(model.retryBatch(jobType, states, limit));
  },
});

export const pause = command('pause', {
  argument: anyType,
  async run(model, { fixture }, jobType) {
    await fixture.queue.pause(jobType);
    model.paused.add(jobType);
  },
});

export const resume = command('resume', {
  argument: anyType,
  async run(model, { fixture }, jobType) {
    await fixture.queue.resume(jobType);
    model.paused.delete(jobType);
  },
});

/** What is public about a job must be what the row says. */
export const look = command('look', {
  argument: fc.nat(),
  isPossible: (model) => model.jobs.size > 0,
  async run(model, { fixture }, index) {
    const job = pick(model.jobs.values(), index);
    const { id, state, fence, retries, crashes, priority } = job;
    expect(await fixture.queue.get(id)).toMatchObject({
      id,
      type: job.type,
      state: publicState(job),
      fence,
      retries,
      crashes,
      priority,
      deliveredAt: job.delivered ? expect.any(Date) : undefined,
      dueAt: new Date(job.due),
      key: job.key ?? job.pastKey ?? undefined,
      finishedAt: ENDED.includes(state) ? expect.any(Date) : undefined,
    });
    const history = [...model.attempts.values()].filter((attempt) => attempt.id === id);
    expect((await fixture.queue.history(id)).map((attempt) => attempt.fence)).toEqual(
      history.map((attempt) => attempt.fence).sort((a, b) => a - b),
    );
  },
});
