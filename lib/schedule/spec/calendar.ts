import { Cron } from 'croner';
import type { CronField } from './cron-field.js';
import type { CronFields } from './cron-fields.js';

/**
 * The days and the times of day of a spec, on a clock that is never put forward or back. Croner is asked about UTC only: in a
 * zone it loses the day of a spec such as `0,30 2 * * *` whose times are all missing when the clocks are put forward.
 */
export class Calendar {
  private readonly cron: Cron;

  constructor(fields: CronFields) {
    this.cron = new Cron(patternOf(fields), { mode: '6-part', utcOffset: 0 });
  }

  /** The first face strictly after this one; undefined: never again. */
  next(face: number): number | undefined {
    return this.cron.nextRun(new Date(face))?.getTime();
  }
}

/** Written out, because croner understands less than we do: no `5/10`, and a star with a step of 1 is no star to it. */
function patternOf({ second, minute, hour, day, month, weekday }: CronFields): string {
  return [second, minute, hour, day, month, weekday].map(textOf).join(' ');
}

function textOf({ isStar, values, specials }: CronField): string {
  return isStar ? '*' : [...values, ...specials].join(',');
}
