import { LONGEST_DURATION } from '../support/duration.js';

/**
 * The wait before a retry. `'fixed'`: always `waitTime`. `'exponential'`: `waitTime`, doubled each time up to one day, of
 * which a random half to whole is waited, so that jobs that failed together do not come back together. A function gets the
 * number of the attempt that has just failed (1 for the first) and the error, and answers milliseconds.
 *
 * @publicApi
 */
export type Backoff = 'fixed' | 'exponential' | ((attempt: number, error: unknown) => number);

const LONGEST_WAIT = 24 * 60 * 60 * 1000;

export interface BackoffOptions {
  readonly backoff: Backoff;
  /** Milliseconds. */
  readonly waitTime: number;
}

/** Milliseconds. A function that throws or answers nonsense costs the job nothing: `waitTime` is used instead. */
export function retryDelay(options: BackoffOptions, attempt: number, error: unknown): number {
  if (options.backoff === 'fixed') return options.waitTime;
  if (options.backoff === 'exponential') return exponential(options.waitTime, attempt);
  return custom(options.backoff, attempt, error) ?? options.waitTime;
}

function exponential(waitTime: number, attempt: number): number {
  const longest = Math.min(waitTime * 2 ** (attempt - 1), Math.max(waitTime, LONGEST_WAIT));
  return Math.round(longest * (0.5 + Math.random() / 2));
}

function custom(
  backoff: (attempt: number, error: unknown) => number,
  attempt: number,
  error: unknown,
): number | undefined {
  try {
    const delay = backoff(attempt, error);
    return delay >= 0 ? Math.round(Math.min(delay, LONGEST_DURATION)) : undefined;
  } catch {
    return undefined;
  }
}
