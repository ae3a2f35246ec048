import { InvalidOptionError } from '../errors/invalid-option.error.js';
import { parseDuration, type Duration } from '../support/duration.js';
import type { DueTime } from './job.js';

/**
 * When a job runs again: after some time, or at a time of the database's clock; one that has passed means now.
 *
 * @publicApi
 */
export interface RunAgain {
  after?: Duration;
  /** Not together with `after`. */
  at?: Date;
}

/**
 * How a handler says something else than "done" (return) or "went wrong" (throw): return one of these.
 *
 * @publicApi
 */
export class JobOutcome {
  private constructor(
    /** @internal */
    readonly kind: 'continue' | 'retry' | 'fail',
    /** @internal `undefined` leaves the wait to the handler's backoff. */
    readonly due: DueTime | undefined,
    /** @internal */
    readonly reason: string | undefined,
  ) {}

  /** Run again without using up a retry: a poll that found nothing yet. By default at once. */
  static continue(again: RunAgain = {}): JobOutcome {
    return new JobOutcome('continue', readDue('continue', again) ?? { delay: 0 }, undefined);
  }

  /** Run again and use up a retry, as an error would. By default after the handler's backoff. */
  static retry({ reason, ...again }: RunAgain & { reason?: string } = {}): JobOutcome {
    return new JobOutcome('retry', readDue('retry', again), reason);
  }

  /** Fail for good, as a `PermanentJobError` would. */
  static fail(reason: string): JobOutcome {
    return new JobOutcome('fail', undefined, reason);
  }

  /** @internal Milliseconds from `now`, the database's. */
  delayFrom(now: number): number | undefined {
    if (this.due === undefined || 'delay' in this.due) return this.due?.delay;
    return Math.max(0, Math.ceil(this.due.at - now));
  }
}

function readDue(kind: string, { after, at }: RunAgain): DueTime | undefined {
  if (at === undefined)
    return after === undefined ? undefined : { delay: readWait(`JobOutcome.${kind}().after`, after) };
  const option = `JobOutcome.${kind}().at`;
  if (after !== undefined) throw new InvalidOptionError(option, at, 'Give either a wait or a time, not both.');
  if (at instanceof Date && !Number.isNaN(at.getTime())) return { at: at.getTime() };
  throw new InvalidOptionError(option, at, 'Give a valid Date.');
}

function readWait(option: string, value: Duration): number {
  const milliseconds = parseDuration(value);
  if (milliseconds !== undefined) return milliseconds;
  throw new InvalidOptionError(option, value, "Give milliseconds or a string such as '3m'.");
}
