import { LONGEST_NAME, nameFault } from './job-type.js';

/** Of a job of which nobody has asked yet what its key is: all jobs of types without keys, and those of plain SQL. */
export const UNFILED = '';

/** Of a job that has none: such jobs share a limit as those of any other key. No `from` may answer it for anything else. */
export const KEYLESS = ' ';

/** What `concurrencyKey.from` is: it is given the payload as JSON leaves it. */
export type KeySource = (payload: never) => string | number | null | undefined;

/** What is wrong with the answer of a `KeySource`, or `undefined`. */
export function concurrencyKeyFault(answer: unknown): string | undefined {
  if (answer === null || answer === undefined || answer === '') return undefined;
  if (typeof answer === 'number') return Number.isFinite(answer) ? undefined : 'Answer a number that is finite.';
  if (isThenable(answer)) {
    // What it rejects with would end the process.
    void Promise.resolve(answer).catch(() => undefined);
    return 'Answer at once, and not with a promise.';
  }
  if (typeof answer !== 'string') return 'Answer a string, a number, or nothing.';
  if (answer === KEYLESS) return 'Answer nothing for what has no key: a single space stands for that.';
  return nameFault(answer, LONGEST_NAME);
}

/** As it is stored; the answer has been checked. */
export function storedConcurrencyKey(answer: ReturnType<KeySource>): string {
  return answer === null || answer === undefined || answer === '' ? KEYLESS : String(answer);
}

/** The same of a job that is stored already, and must not be lost for its payload: whatever cannot be used is no key. */
export function concurrencyKeyOf(from: KeySource, payload: string | null): string {
  try {
    const answer = from((payload === null ? null : JSON.parse(payload)) as never);
    return concurrencyKeyFault(answer) === undefined ? storedConcurrencyKey(answer) : KEYLESS;
  } catch {
    return KEYLESS;
  }
}

function isThenable(answer: unknown): answer is PromiseLike<unknown> {
  return typeof answer === 'object' && answer !== null && typeof Reflect.get(answer, 'then') === 'function';
}

/** As people are shown it: `undefined` for a job that has none, or has not been asked for it. */
export function shownConcurrencyKey(stored: string): string | undefined {
  return stored === UNFILED || stored === KEYLESS ? undefined : stored;
}
