/** Jobs that wait here can start nowhere else: no more of them than will start within this time, in milliseconds. */
const HORIZON = 250;
/** The weight of the latest duration in the average. */
const WEIGHT = 0.1;

/** How fast the jobs of one type go through their slots, and so how many more may be claimed than can start at once. */
class Pace {
  /** Of a handler, in milliseconds; `undefined` until the first one has ended. */
  private average: number | undefined;

  ended(duration: number): void {
    this.average = this.average === undefined ? duration : this.average + (duration - this.average) * WEIGHT;
  }

  /** Jobs have waited for longer than they should: what was measured does not hold any more. */
  stalled(): void {
    this.average = Math.max(this.average ?? 0, 2 * HORIZON);
  }

  /** How many may wait for `slots`; none when handlers are unknown, or slow. */
  allowance(slots: number): number {
    if (this.average === undefined || this.average > HORIZON) return 0;
    return Math.floor((slots * HORIZON) / Math.max(this.average, 1));
  }
}

/** Of each type. */
export class Paces {
  private readonly byType = new Map<string, Pace>();

  of(type: string): Pace {
    const known = this.byType.get(type);
    if (known !== undefined) return known;
    const pace = new Pace();
    this.byType.set(type, pace);
    return pace;
  }
}
