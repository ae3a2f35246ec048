import { inspect } from 'node:util';

const LONGEST = 120;

/** A short, single-line picture of any value for an error message: bounded, because a value may be a 2 MiB payload. */
export function describeValue(value: unknown): string {
  const text = typeof value === 'string' ? `'${value.slice(0, LONGEST)}'` : inspectSafely(value);
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}

/** Of a value that may hold what no log should: what it is, and nothing of what is in it. */
export function describeShape(value: unknown): string {
  if (typeof value === 'string') return `a string of ${value.length} characters`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (value === null || value === undefined) return String(value);
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function inspectSafely(value: unknown): string {
  try {
    return inspect(value, { depth: 1, breakLength: Infinity, maxArrayLength: 5, maxStringLength: LONGEST });
  } catch {
    return `an uninspectable ${typeof value}`;
  }
}
