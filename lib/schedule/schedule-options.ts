import type { Misfire, Overlap } from '../job/schedule.js';
import type { JobType } from '../job/job-type.js';
import type { JobDefinition } from '../queue/job-definition.js';
import type { Duration } from '../support/duration.js';

/**
 * When a schedule fires, and what becomes of fire times that are missed or overlap.
 *
 * @publicApi
 */
export interface ScheduleTiming {
  /**
   * Of the spec, unless that names one itself (`CRON_TZ=Europe/Berlin 0 3 * * *`).
   * @default 'UTC'
   */
  timeZone?: string;
  /** @default 'once' */
  misfire?: Misfire;
  /**
   * The most fire times that `misfire: 'all'` makes up for: the latest. 1 to 1,000.
   * @default 100
   */
  misfireLimit?: number;
  /** @default 'allow' */
  overlap?: Overlap;
  /**
   * The job is due at a random moment up to so long after the fire time, so that not everything starts at once.
   * @default 0
   */
  jitter?: Duration;
  /** It fires at this time at the earliest. */
  from?: Date;
  /** It fires at this time at the latest. */
  until?: Date;
  /** For how long it may be without a job that has succeeded: after that an event `schedule.late` is emitted, once. */
  alertAfter?: Duration;
  /** What the handler gets. */
  payload?: unknown;
  /** For people. */
  description?: string;
  /** Anything of yours, as JSON. */
  extra?: unknown;
}

/** Their names. */
export const TIMING = [
  'timeZone',
  'payload',
  'misfire',
  'misfireLimit',
  'overlap',
  'jitter',
  'from',
  'until',
  'alertAfter',
  'description',
  'extra',
] as const satisfies readonly (keyof ScheduleTiming)[];

/**
 * A schedule: what `Schedules.upsert()` stores. All that is not given is as by default, not as it was before.
 *
 * @publicApi
 */
export interface ScheduleOptions extends ScheduleTiming {
  /**
   * Five fields (minute, hour, day, month, weekday) or six (seconds first), with ranges, steps, names, `L` and `#`; `@every 10s`;
   * `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`.
   */
  spec: string;
  /** The type of the jobs that it makes. */
  type: JobType | JobDefinition<unknown>;
  /** By default as it is; a new one, and one whose code is gone, is enabled. */
  enabled?: boolean;
}
