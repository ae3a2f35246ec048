import type { Misfire } from '../job/schedule.js';
import type { FireTimes } from './spec/fire-times.js';

/** A fire time that is older has been missed: long enough for a process to be restarted. */
export const GRACE = 60_000;
/** More fire times than this are never walked through at once. */
const MOST_STEPS = 5_000;

export interface Plan {
  readonly times: FireTimes;
  /** The first fire time that nothing has become of. */
  readonly nextFire: number;
  readonly misfire: Misfire;
  readonly limit: number;
  /** The last moment at which it may fire; 0: none. */
  readonly endsAt: number;
}

export interface DueTimes {
  /** Oldest first. */
  readonly fire: readonly number[];
  /** The latest of those that are left out. */
  readonly missed: number | undefined;
}

/** Which fire times become jobs now: see `Misfire`. Its cost is bounded, however long nobody was there. */
export function dueTimes({ times, nextFire, misfire, limit, endsAt }: Plan, now: number): DueTimes {
  const to = endsAt === 0 ? now : Math.min(now, endsAt);
  const wanted = misfire === 'all' ? limit : 1;
  const latest = lastTimes(times, { from: nextFire, to }, wanted + 1);
  const fire = latest.slice(-wanted);
  const isLate = misfire === 'skip' && now - (fire[0] ?? now) > GRACE;
  return isLate ? { fire: [], missed: fire[0] } : { fire, missed: latest.at(-wanted - 1) };
}

/** The first fire time after a moment and within the schedule's bounds; 0 for an end: none. */
export function nextTime(
  times: FireTimes,
  after: number,
  bounds: { startsAt: number; endsAt: number },
): number | undefined {
  const next = times.next(Math.max(after, bounds.startsAt - 1));
  return next === undefined || (bounds.endsAt > 0 && next > bounds.endsAt) ? undefined : next;
}

/** At least the last `count` of a span, oldest first: what is before them is looked at only as far as needed. */
function lastTimes(times: FireTimes, { from, to }: { from: number; to: number }, count: number): number[] {
  let tooFew = to;
  let tooMany: number | undefined;
  let start = Math.max(from, to - GRACE);
  for (;;) {
    const found = timesOf(times, start, to);
    if (found !== undefined && (found.length >= count || start === from)) return found;
    if (found === undefined) tooMany = start;
    else tooFew = start;
    const further = tooMany === undefined ? to - 2 * (to - start) : Math.floor((tooFew + tooMany) / 2);
    start = Math.max(from, further);
  }
}

/** `undefined`: more than anybody wants. */
function timesOf(times: FireTimes, from: number, to: number): number[] | undefined {
  const found: number[] = [];
  for (let time = times.next(from - 1); time !== undefined && time <= to; time = times.next(time)) {
    if (found.length === MOST_STEPS) return undefined;
    found.push(time);
  }
  return found;
}
