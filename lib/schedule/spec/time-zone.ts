/** A moment at which a zone's clocks are put forward or back. */
export interface ClockChange {
  readonly at: number;
  /** What the clock is ahead of UTC until then, and from then on, in ms. */
  readonly before: number;
  readonly after: number;
}

const SECOND = 1_000;
/**
 * No zone's clock is further from UTC than this, and none was ever put forward or back by more (Samoa: 24 h in 2011); no
 * zone changed twice within twice this time since 1970.
 */
const REACH = 26 * 60 * 60 * SECOND;
/** Node 22 knows zones such as `+02:00` and Node 20 does not: all nodes must understand a spec alike. */
const NAME = /^[A-Za-z][\w+\-/]{0,63}$/;

/** By name in lower case: a formatter is large, and few zones are in use. */
const zones = new Map<string, TimeZone>();

/** The clocks of a zone of the IANA database. A face is what they show, as if it were UTC, in ms. */
export class TimeZone {
  private readonly format: Intl.DateTimeFormat;

  private constructor(name: string) {
    this.format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  }

  /** Undefined: the runtime knows no such zone. */
  static named(name: unknown): TimeZone | undefined {
    if (typeof name !== 'string' || !NAME.test(name)) return undefined;
    const key = name.toLowerCase();
    const known = zones.get(key);
    if (known !== undefined) return known;
    try {
      const zone = new TimeZone(name);
      zones.set(key, zone);
      return zone;
    } catch {
      return undefined;
    }
  }

  /** The latest face shown up to then: in an hour that is shown again, the end of its first showing. */
  latestFaceAt(time: number): number {
    const change = this.changeNear(time);
    const face = time + this.offsetAt(time);
    return change !== undefined && change.at <= time ? Math.max(face, change.at + change.before - 1) : face;
  }

  /** The one change within a day or so, before or after. */
  changeNear(time: number): ClockChange | undefined {
    let low = Math.floor((time - REACH) / SECOND);
    let high = Math.ceil((time + REACH) / SECOND);
    const before = this.offsetAt(low * SECOND);
    const after = this.offsetAt(high * SECOND);
    if (before === after) return undefined;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.offsetAt(middle * SECOND) === before) low = middle;
      else high = middle;
    }
    return { at: high * SECOND, before, after };
  }

  /** What the clock is ahead of UTC then, in ms. */
  offsetAt(time: number): number {
    const second = Math.floor(time / SECOND) * SECOND;
    const shown: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
    for (const { type, value } of this.format.formatToParts(second)) shown[type] = Number(value);
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second: seconds = 0 } = shown;
    return Date.UTC(year, month - 1, day, hour, minute, seconds) - second;
  }
}
