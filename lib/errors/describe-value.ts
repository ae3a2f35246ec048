import { inspect } from 'node:util';

const LONGEST = 120;

/** A short, single-line picture of any value for an error message: bounded, because a value may be a 2 MiB payload. */
export function describeValue(value: unknown): string {
  const text = typeof value === 'string' ? `'${value.slice(0, LONGEST)}'` : inspectSafely(value);
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}

function inspectSafely(value: unknown): string {
  try {
    return inspect(value, { depth: 1, breakLength: Infinity, maxArrayLength: 5, maxStringLength: LONGEST });
  } catch {
    return `an uninspectable ${typeof value}`;
  }
}
