import { describe, expect, it } from '@jest/globals';
import { releaseOf } from '../../../lib/job/settlement.js';
import { HeldSlots } from '../../../lib/typeorm/held-slots.js';
import type { SlotOfJob } from '../../../lib/typeorm/statements/slots.js';

const slot = (n: number) => ({ kind: 'key' as const, key: 'a', n, job: 0, fence: 0 });
const taken = (job: number, fence = 1): SlotOfJob => ({ slot: slot(job), job, fence });
const end = (job: number, { fence = 1, manual = false } = {}) => ({
  ...releaseOf({ id: String(job), fence, type: 't' }),
  manual,
});

describe('the slots of what this process has claimed', () => {
  it('are free once when their jobs have ended, as they are in the database then', () => {
    const held = new HeldSlots();
    held.took('t', [taken(1), taken(2), taken(3)]);
    held.ended([end(1), end(3)]);
    expect(held.take('t', 10)).toEqual([[{ ...slot(1), job: 1, fence: 1 }], [{ ...slot(3), job: 3, fence: 1 }]]);
    expect(held.take('t', 10)).toEqual([]);
  });

  it('are not, of an earlier claim of the job, of one that is acknowledged by hand, or of another type', () => {
    const held = new HeldSlots();
    held.took('t', [taken(1, 2), taken(2)]);
    held.took('other', [taken(3)]);
    held.ended([end(1, { fence: 1 }), end(2, { manual: true }), end(3), end(4)]);
    expect(held.take('t', 10)).toEqual([]);
  });

  it('stay for the next claim where there is no room for all', () => {
    const held = new HeldSlots();
    held.took('t', [taken(1), taken(2), taken(3)]);
    held.ended([end(1), end(2), end(3)]);
    expect(held.take('t', 2)).toHaveLength(2);
    expect(held.take('t', 2)).toHaveLength(1);
  });

  it('are forgotten, the oldest first, where ends are never told', () => {
    const held = new HeldSlots();
    for (let job = 1; job <= 10_001; job++) held.took('t', [taken(job)]);
    held.ended([end(1), end(2)]);
    expect(held.take('t', 10)).toEqual([[{ ...slot(2), job: 2, fence: 1 }]]);
  });
});
