import { type FireTimes, startOfSearch } from './fire-times.js';
import type { SpecPart } from './spec-part.js';

const UNITS: Record<string, bigint> = { ms: 1n, s: 1_000n, m: 60_000n, h: 3_600_000n, d: 86_400_000n };
const TERM = /\d+(?:\.\d+)?(?:ms|s|m|h|d)/y;
const SHORTEST = 1_000n;
const LONGEST = 366n * 86_400_000n;
const ALLOWED = `Write a time from 1s to 366d such as '10s', '1h30m', '1.5h' or '2d'; the units are d, h, m, s and ms.`;

/**
 * Fires at the multiples of the interval since 1970-01-01T00:00:00Z, and not at multiples since some start: so every node
 * computes the same times and needs to remember nothing. The zone and its summer time do not matter.
 */
export class EveryFireTimes implements FireTimes {
  private constructor(private readonly interval: number) {}

  /** `duration` as Go writes it, such as `1h30m`. */
  static parse(duration: SpecPart): EveryFireTimes {
    const interval = terms(duration).reduce((sum, term) => sum + milliseconds(term), 0n);
    if (interval < SHORTEST || interval > LONGEST) {
      throw duration.fault(`'${duration.text}' is too ${interval < SHORTEST ? 'short' : 'long'}`, ALLOWED);
    }
    return new EveryFireTimes(Number(interval));
  }

  next(after: number): number | undefined {
    const from = startOfSearch(after);
    return from === undefined ? undefined : (Math.floor(from / this.interval) + 1) * this.interval;
  }
}

function terms(duration: SpecPart): SpecPart[] {
  const found: SpecPart[] = [];
  const pattern = new RegExp(TERM);
  while (pattern.lastIndex < duration.text.length || found.length === 0) {
    const start = pattern.lastIndex;
    if (!pattern.test(duration.text)) {
      const rest = duration.slice(start);
      throw rest.fault(`'${rest.text}' is no time`, ALLOWED);
    }
    found.push(duration.slice(start, pattern.lastIndex));
  }
  return found;
}

/** Whole numbers only: `0.1h` is exactly 360000 ms, which a product of fractions would miss. */
function milliseconds(term: SpecPart): bigint {
  const [, whole = '', fraction = '', unit = ''] = /^(\d+)(?:\.(\d+))?([a-z]+)$/.exec(term.text) ?? [];
  const product = BigInt(whole + fraction) * (UNITS[unit] ?? 0n);
  const scale = 10n ** BigInt(fraction.length);
  if (product % scale !== 0n) throw term.fault(`'${term.text}' is not a whole number of milliseconds`, ALLOWED);
  return product / scale;
}
