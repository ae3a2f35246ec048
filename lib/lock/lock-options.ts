import { InvalidLockError } from '../errors/invalid-lock.error.js';
import { LONGEST_NAME, nameFault } from '../job/job-type.js';
import { refuseUnknownOptions } from '../support/did-you-mean.js';
import { LONGEST_TIMER, parseDuration, type Duration } from '../support/duration.js';

/**
 * For how long a lock is held.
 *
 * @publicApi
 */
export interface LockOptions {
  /**
   * How long the lock outlives the last renewal of a holder that has died. A living one renews it all the time, so the work may take
   * longer than this.
   * @default '30s'
   */
  atMost?: Duration;
  /**
   * How long the lock stays taken, even when it is released sooner: for work that is quicker than clocks and schedules are equal.
   * `'auto'`: `atMost` less 5 s, or less 1 s when it is 5 s or shorter.
   * @default 0
   */
  atLeast?: Duration;
}

/**
 * `LockOptions` of whoever waits.
 *
 * @publicApi
 */
export interface LockWaitOptions extends LockOptions {
  /**
   * How long to wait for a lock that somebody else holds; 0 asks once.
   * @default '30s'
   */
  wait?: Duration;
}

/** Milliseconds. */
export interface LockTimes {
  readonly atMost: number;
  readonly atLeast: number;
}

const DEFAULT_AT_MOST = 30_000;
/** A few statements must fit into it. */
const SHORTEST_AT_MOST = 100;
const DEFAULT_WAIT = 30_000;

export const TIME_OPTIONS = ['atMost', 'atLeast'] as const satisfies readonly (keyof LockOptions)[];
export const WAIT_OPTIONS = [...TIME_OPTIONS, 'wait'] as const satisfies readonly (keyof LockWaitOptions)[];

export function checkLockName(name: unknown): void {
  const fault = nameFault(name, LONGEST_NAME);
  if (fault !== undefined) throw new InvalidLockError('name', name, fault);
}

/** `owner`: whose options they are, for the error that names an unknown one. */
export function readLockTimes(owner: string, given: LockOptions, known: readonly string[] = TIME_OPTIONS): LockTimes {
  if (given === null || typeof given !== 'object') throw new InvalidLockError('options', given, 'Give an object.');
  refuseUnknownOptions(owner, given, known);
  const atMost = readDuration('atMost', given.atMost ?? DEFAULT_AT_MOST, SHORTEST_AT_MOST);
  const atLeast =
    given.atLeast === 'auto' ? shorterThan(atMost) : readDuration('atLeast', given.atLeast ?? 0, 0, "or 'auto', ");
  if (atLeast > atMost) {
    const cure = `Give at most atMost (${atMost} ms): it would be free sooner if its holder died.`;
    throw new InvalidLockError('atLeast', given.atLeast, cure);
  }
  return { atMost, atLeast };
}

export function readWait({ wait = DEFAULT_WAIT }: LockWaitOptions): number {
  return readDuration('wait', wait, 0);
}

/** How long `extend()` makes it. */
export function readExtension(by: Duration): number {
  return readDuration('extension', by, SHORTEST_AT_MOST);
}

/** As the shedlock of the original. */
function shorterThan(atMost: number): number {
  return atMost > 5_000 ? atMost - 5_000 : Math.max(0, atMost - 1_000);
}

function readDuration(field: string, value: unknown, least: number, other = ''): number {
  const milliseconds = parseDuration(value);
  if (milliseconds !== undefined && milliseconds >= least && milliseconds <= LONGEST_TIMER) return milliseconds;
  const cure = `Give milliseconds or a string such as '3m', ${other}${least} to ${LONGEST_TIMER} ms.`;
  throw new InvalidLockError(field, value, cure);
}
