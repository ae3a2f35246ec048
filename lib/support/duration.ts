import ms, { type StringValue } from 'ms';

/**
 * A time span: milliseconds, or a string such as `'250ms'`, `'10s'`, `'3m'`, `'1.5h'` or `'7d'`.
 *
 * @publicApi
 */
export type Duration = number | string;

/** A hundred years: far enough for everybody, and no sum of it with a time is too large for a Date or a BIGINT. */
export const LONGEST_DURATION = 100 * 365 * 24 * 60 * 60 * 1000;

/** The longest span a JavaScript timer can wait; a longer one fires at once. */
export const LONGEST_TIMER = 2_147_483_647;

/** Milliseconds, or `undefined` for anything that is not a span between zero and a hundred years. */
export function parseDuration(value: unknown): number | undefined {
  const milliseconds = typeof value === 'string' && value.length <= 100 ? ms(value as StringValue) : value;
  const isSpan = typeof milliseconds === 'number' && milliseconds >= 0 && milliseconds <= LONGEST_DURATION;
  return isSpan ? Math.round(milliseconds) : undefined;
}
