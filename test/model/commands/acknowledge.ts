import { expect } from '@jest/globals';
import * as fc from 'fast-check';
import type { AcknowledgeRequest } from '../../../lib/job/acknowledgement.js';
import type { JobQueue } from '../../../lib/queue/job-queue.js';
import type { ModelJob } from '../model-state.js';
import { command, pickLikely } from './command.js';

type Kind = AcknowledgeRequest['kind'];

const argument = fc.record({
  job: fc.nat(),
  kind: fc.constantFrom<Kind[]>('finish', 'finish', 'processing', 'fail'),
  /** How many claims ago the job was handed over; `undefined`: the consumer does not know. */
  ago: fc.constantFrom(undefined, 0, 0, 1, -1),
  commits: fc.constantFrom(true, true, false),
  times: fc.constantFrom(1, 1, 2),
});

/** A consumer, in its own transaction: in time, late, twice, or about what somebody else has by now. */
export const acknowledge = command('acknowledge', {
  argument,
  isPossible: (model) => model.jobs.size > 0,
  async run(model, { fixture }, { job: index, kind, ago, commits, times }) {
    const { id, fence } = pickLikely(model.jobs.values(), isWithConsumer, index);
    const delivery = ago === undefined ? undefined : Math.max(1, fence - ago);
    const rollback = new Error('the application rolls back');
    const told = fixture.queue.transaction(async () => {
      const answer = await tell(fixture.queue, id, kind, delivery);
      if (!commits) throw rollback;
      return answer;
    });
    if (!commits) return expect(told).rejects.toBe(rollback);
    expect(await told).toEqual(model.acknowledge(id, kind, delivery));
    if (times > 1) expect(await tell(fixture.queue, id, kind, delivery)).toEqual(model.acknowledge(id, kind, delivery));
  },
});

function isWithConsumer({ state, manual, delivered }: ModelJob): boolean {
  return state === 'running' ? manual : delivered && (state === 'scheduled' || state === 'waiting');
}

function tell(queue: JobQueue, id: string, kind: Kind, delivery: number | undefined) {
  const options = delivery === undefined ? {} : { delivery };
  return kind === 'fail' ? queue.fail(id, 'no', options) : queue[kind](id, options);
}
