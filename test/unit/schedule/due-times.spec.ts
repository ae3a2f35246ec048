import { describe, expect, it } from '@jest/globals';
import { dueTimes, nextTime, type Plan } from '../../../lib/schedule/due-times.js';
import type { FireTimes } from '../../../lib/schedule/spec/fire-times.js';

const SECOND = 1_000;
const HOUR = 3_600_000;

/** Fires at the multiples of a step. */
function every(step: number): FireTimes & { steps: number } {
  return {
    steps: 0,
    next(after) {
      this.steps++;
      return (Math.floor(after / step) + 1) * step;
    },
  };
}

function plan(overrides: Partial<Plan>): Plan {
  return { times: every(SECOND), nextFire: 100 * SECOND, misfire: 'once', limit: 100, endsAt: 0, ...overrides };
}

describe('the due fire times of a schedule', () => {
  it.each(['skip', 'once', 'all'] as const)('are the one that has just come, with misfire %s', (misfire) => {
    expect(dueTimes(plan({ misfire }), 100_005)).toEqual({ fire: [100_000], missed: undefined });
  });

  it('are the latest in place of all, with misfire once', () => {
    expect(dueTimes(plan({ misfire: 'once' }), 130_500)).toEqual({ fire: [130_000], missed: 129_000 });
    const hourly = plan({ misfire: 'once', times: every(HOUR), nextFire: HOUR });
    expect(dueTimes(hourly, 10 * HOUR - 1)).toEqual({ fire: [9 * HOUR], missed: 8 * HOUR });
  });

  it('are the latest only when it is no more than a minute ago, with misfire skip', () => {
    const hourly = plan({ misfire: 'skip', times: every(HOUR), nextFire: HOUR });
    expect(dueTimes(hourly, HOUR + 60_000)).toEqual({ fire: [HOUR], missed: undefined });
    expect(dueTimes(hourly, HOUR + 60_001)).toEqual({ fire: [], missed: HOUR });
    expect(dueTimes(hourly, 4 * HOUR + 5)).toEqual({ fire: [4 * HOUR], missed: 3 * HOUR });
  });

  it('are all of them, oldest first, with misfire all', () => {
    const { fire, missed } = dueTimes(plan({ misfire: 'all' }), 130_500);
    expect(fire).toEqual(Array.from({ length: 31 }, (_, n) => 100_000 + n * SECOND));
    expect(missed).toBeUndefined();
  });

  it('are at most as many as the limit says, the latest', () => {
    expect(dueTimes(plan({ misfire: 'all', limit: 3 }), 130_500)).toEqual({
      fire: [128_000, 129_000, 130_000],
      missed: 127_000,
    });
  });

  it('end with the schedule', () => {
    expect(dueTimes(plan({ misfire: 'all', endsAt: 101_500 }), 130_500).fire).toEqual([100_000, 101_000]);
    expect(dueTimes(plan({ endsAt: 99_000 }), 130_500)).toEqual({ fire: [], missed: undefined });
    expect(nextTime(every(SECOND), 101_000, { startsAt: 0, endsAt: 101_500 })).toBeUndefined();
    expect(nextTime(every(SECOND), 100_000, { startsAt: 0, endsAt: 101_000 })).toBe(101_000);
  });

  it('begin with the schedule, its first moment included', () => {
    expect(nextTime(every(SECOND), 5_000, { startsAt: 9_000, endsAt: 0 })).toBe(9_000);
    expect(nextTime(every(SECOND), 9_000, { startsAt: 9_000, endsAt: 0 })).toBe(10_000);
  });

  it('are found in few steps after ten years without any node', () => {
    const times = every(SECOND);
    const now = 315_360_000 * SECOND;
    expect(dueTimes(plan({ times, misfire: 'all', limit: 1_000 }), now).fire).toHaveLength(1_000);
    expect(times.steps).toBeLessThan(20_000);
  });

  it('are found in few steps when all of them were long ago', () => {
    let steps = 0;
    const burst: FireTimes = {
      next(after) {
        steps++;
        const next = Math.max(HOUR, (Math.floor(after / SECOND) + 1) * SECOND);
        return next < 300 * HOUR ? next : 9_000 * HOUR;
      },
    };
    const { fire } = dueTimes(plan({ times: burst, nextFire: HOUR, misfire: 'all', limit: 10 }), 8_000 * HOUR);
    expect(fire).toEqual(Array.from({ length: 10 }, (_, n) => 300 * HOUR - (10 - n) * SECOND));
    expect(steps).toBeLessThan(200_000);
  });
});
