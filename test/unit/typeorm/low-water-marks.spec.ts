import { describe, expect, it } from '@jest/globals';
import type { ClaimedJob } from '../../../lib/job/job.js';
import { LowWaterMarks } from '../../../lib/typeorm/low-water-marks.js';

const level = { type: 't', priority: 0 };
const due = (at: number) => ({ due: at }) as ClaimedJob;

describe('where the next claim of a level begins', () => {
  it('is where the last one ended that was given all it asked for, until a second after the last full scan', () => {
    const marks = new LowWaterMarks();
    expect(marks.from(level, 0)).toBe(0);
    marks.advance(level, [due(5), due(7)], 2);
    expect(marks.from(level, 900)).toBe(7);
    marks.advance(level, [due(8), due(9)], 2);
    expect(marks.from({ ...level, priority: 1 }, 950)).toBe(0);
    expect(marks.from({ ...level, key: 'a' }, 950)).toBe(0);
    expect(marks.from(level, 999)).toBe(9);
    expect(marks.from(level, 1_000)).toBe(0);
  });

  it('is the beginning again after a claim that has seen the end', () => {
    const marks = new LowWaterMarks();
    marks.from(level, 0);
    marks.advance(level, [due(5)], 1);
    marks.advance(level, [due(6)], 2);
    expect(marks.from(level, 1)).toBe(0);
  });

  it('is forgotten after that second, whatever keys there have been', () => {
    const marks = new LowWaterMarks();
    for (let n = 0; n < 10_000; n++) {
      const stretch = { ...level, key: `tenant ${n}` };
      marks.from(stretch, n);
      marks.advance(stretch, [due(n)], 1);
    }
    expect(marks.size).toBeLessThanOrEqual(1_000);
    expect(marks.from({ ...level, key: 'tenant 9999' }, 10_000)).toBe(9_999);
  });
});
