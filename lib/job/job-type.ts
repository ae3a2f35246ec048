/**
 * The name of a kind of job: a string of 1 to 128 characters, or an integer. Compared byte by byte: 'A', 'a' and 'a ' are three.
 *
 * @publicApi
 */
export type JobType = string | number;

const LONGEST_TYPE = 128;

/** Of a key, a reference and a trace id. */
export const LONGEST_NAME = 255;

/** What is wrong with a name that is stored and compared in the database, or `undefined`. */
export function nameFault(name: unknown, longest: number): string | undefined {
  if (typeof name !== 'string') return 'Give a string.';
  if (name === '') return 'Give at least one character.';
  if (name.length > longest) return `Give at most ${longest} characters (it has ${name.length}).`;
  if (name.includes('\0')) return 'Leave out the NUL character: PostgreSQL cannot store it.';
  if (/\p{Surrogate}/u.test(name))
    return 'Leave out the lone surrogate: it is no Unicode text and would be stored as another name.';
  return undefined;
}

export function jobTypeFault(type: unknown): string | undefined {
  if (typeof type === 'number') return Number.isSafeInteger(type) ? undefined : 'Give a string or an integer.';
  return nameFault(type, LONGEST_TYPE);
}
