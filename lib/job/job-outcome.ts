import { InvalidOptionError } from '../errors/invalid-option.error.js';
import { parseDuration, type Duration } from '../support/duration.js';

/**
 * How a handler says something else than "done" (return) or "went wrong" (throw): return one of these.
 *
 * @publicApi
 */
export class JobOutcome {
  private constructor(
    /** @internal */
    readonly kind: 'continue' | 'retry' | 'fail',
    /** @internal Milliseconds; `undefined` leaves the wait to the handler's backoff. */
    readonly after: number | undefined,
    /** @internal */
    readonly reason: string | undefined,
  ) {}

  /** Run again without using up a retry: a poll that found nothing yet. `after`: default 0. */
  static continue(options: { after?: Duration } = {}): JobOutcome {
    return new JobOutcome('continue', wait('JobOutcome.continue().after', options.after ?? 0), undefined);
  }

  /** Run again and use up a retry, as an error would. `after`: default the handler's backoff. */
  static retry(options: { after?: Duration; reason?: string } = {}): JobOutcome {
    const after = options.after === undefined ? undefined : wait('JobOutcome.retry().after', options.after);
    return new JobOutcome('retry', after, options.reason);
  }

  /** Fail for good, as a `PermanentJobError` would. */
  static fail(reason: string): JobOutcome {
    return new JobOutcome('fail', undefined, reason);
  }
}

function wait(option: string, value: Duration): number {
  const milliseconds = parseDuration(value);
  if (milliseconds === undefined)
    throw new InvalidOptionError(option, value, "Give milliseconds or a string such as '3m'.");
  return milliseconds;
}
