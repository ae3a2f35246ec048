import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../support/duration.js';

const DATE = /^\d{4}-\d\d-\d\d$/;
const SPAN = /^\d+(\.\d+)?(ms|s|m|h|d|w)$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

/** With a zone, or as a day in UTC: what `new Date()` takes for local time means something else on every machine. */
export function readTime(text: string): Date {
  const time = timeOf(text);
  if (time !== undefined) return time;
  throw new InvalidArgumentError(TIME_CURE);
}

export const TIME_CURE = 'Give a day or a time with its zone, such as 2026-11-21 or 2026-11-21T03:00:00Z.';

/** `undefined`: it is none. */
export function timeOf(text: string): Date | undefined {
  const time = new Date(text);
  return (DATE.test(text) || TIME.test(text)) && !Number.isNaN(time.getTime()) ? time : undefined;
}

/** Milliseconds. Only with a unit, and only as it is written here: `30` would be milliseconds to the queue, and `6M` six minutes. */
export function readSpan(text: string): number {
  const span = SPAN.test(text) ? parseDuration(text) : undefined;
  if (span !== undefined) return span;
  throw new InvalidArgumentError('Give a number with its unit, ms, s, m (minutes), h, d or w: 90s, 30m, 12h, 7d.');
}

export function readInteger(text: string): number {
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give an integer.');
}

/** The option may be given several times, and hold several, with commas between them. */
export function collect(text: string, before: readonly string[] = []): string[] {
  return [...before, ...text.split(',').map((each) => each.trim())];
}
