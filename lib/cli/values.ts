import { InvalidArgumentError } from 'commander';

const DATE = /^\d{4}-\d\d-\d\d$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

/** With a zone, or as a day in UTC: what `new Date()` takes for local time means something else on every machine. */
export function readTime(text: string): Date {
  const time = new Date(text);
  if ((DATE.test(text) || TIME.test(text)) && !Number.isNaN(time.getTime())) return time;
  throw new InvalidArgumentError('Give a day or a time with its zone, such as 2026-11-21 or 2026-11-21T03:00:00Z.');
}

export function readInteger(text: string): number {
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give an integer.');
}

/** The option may be given several times, and hold several, with commas between them. */
export function collect(text: string, before: readonly string[] = []): string[] {
  return [...before, ...text.split(',').map((each) => each.trim())];
}
