import ms, { type StringValue } from 'ms';

/**
 * A time span: milliseconds, or a string such as `'250ms'`, `'10s'`, `'3m'`, `'1.5h'` or `'7d'`.
 *
 * @publicApi
 */
export type Duration = number | string;

/** The longest span a JavaScript timer can wait; a longer one fires at once. */
export const LONGEST_TIMER = 2_147_483_647;

/** Milliseconds, or `undefined` for anything that is not a finite span of zero or more. */
export function parseDuration(value: unknown): number | undefined {
  const milliseconds = typeof value === 'string' && value.length <= 100 ? ms(value as StringValue) : value;
  if (typeof milliseconds !== 'number' || !Number.isFinite(milliseconds) || milliseconds < 0) return undefined;
  return Math.round(milliseconds);
}
