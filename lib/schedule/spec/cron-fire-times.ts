import type { Calendar } from './calendar.js';
import { type FireTimes, startOfSearch } from './fire-times.js';
import type { TimeZone } from './time-zone.js';

/** How a spec behaves where the clocks are changed. */
export interface Rhythm {
  /** Whether times that are shown a second time count a second time. */
  readonly isRepeated: boolean;
  /** Whether it fires in every hour, so that nothing is missed when an hour is. */
  readonly isHourly: boolean;
}

/**
 * The fire times of a calendar by the clocks of a zone. Where they are put back, times are shown twice; where they are put
 * forward, times are missing:
 *
 * | | shown twice | missing |
 * |---|---|---|
 * | every hour: `*` or 0-23 in the hour | fires both times | nothing is made up for: it goes on right after |
 * | other hours, with a star or a step in hour, minute or second | fires both times | fires once, when the gap ends |
 * | fixed times | fires the first time | fires once, when the gap ends |
 */
export class CronFireTimes implements FireTimes {
  constructor(
    private readonly calendar: Calendar,
    private readonly zone: TimeZone,
    private readonly rhythm: Rhythm,
  ) {}

  next(after: number): number | undefined {
    const from = startOfSearch(after);
    if (from === undefined) return undefined;
    const first = this.firstShowing(this.zone.latestFaceAt(from));
    const second = this.rhythm.isRepeated ? this.secondShowing(from) : undefined;
    return first === undefined || second === undefined ? (first ?? second) : Math.min(first, second);
  }

  /** When the clock shows the calendar's next face for the first time, or has just jumped over it. */
  private firstShowing(latest: number): number | undefined {
    const face = this.calendar.next(latest);
    if (face === undefined) return undefined;
    const change = this.zone.changeNear(face);
    if (change === undefined) return face - this.zone.offsetAt(face);
    if (face < change.at + change.before) return face - change.before;
    const isMissing = face < change.at + change.after;
    if (isMissing && this.rhythm.isHourly) return this.firstShowing(change.at + change.after - 1);
    return isMissing ? change.at : face - change.after;
  }

  /** When the clock next shows a face of the calendar that it has shown before it was put back. */
  private secondShowing(after: number): number | undefined {
    const change = this.zone.changeNear(after);
    if (change === undefined) return undefined;
    const face = this.calendar.next(Math.max(after, change.at - 1) + change.after);
    const isSecond = face !== undefined && face < change.at + change.before;
    return isSecond ? face - change.after : undefined;
  }
}
