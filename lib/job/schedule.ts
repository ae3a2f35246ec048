import type { JobState } from './job-state.js';

/**
 * What becomes of fire times that nobody was there for. A fire time is missed when the next one has come as well, or when it is more
 * than a minute ago. `'skip'`: it is left out. `'once'`: the latest fires, however late, in place of all. `'all'`: each fires, oldest
 * first, up to `misfireLimit` of the latest.
 *
 * @publicApi
 */
export type Misfire = 'skip' | 'once' | 'all';

/**
 * What becomes of a fire time while the job of an earlier one has not ended. `'allow'`: both run. `'skip'`: it is left out.
 * `'queue'`: its job is made when the earlier one has ended, oldest first.
 *
 * @publicApi
 */
export type Overlap = 'allow' | 'skip' | 'queue';

/**
 * A schedule as it stands in the database.
 *
 * @publicApi
 */
export interface Schedule {
  readonly name: string;
  readonly spec: string;
  /** Of the spec, unless that names one itself. */
  readonly timeZone: string;
  /** Of the jobs that it makes. */
  readonly type: string;
  readonly payload: unknown;
  readonly enabled: boolean;
  readonly misfire: Misfire;
  readonly misfireLimit: number;
  readonly overlap: Overlap;
  /** Milliseconds. */
  readonly jitter: number;
  readonly from: Date | undefined;
  readonly until: Date | undefined;
  /** Milliseconds. */
  readonly alertAfter: number | undefined;
  readonly description: string | undefined;
  readonly extra: unknown;
  /** Declared by `@JobSchedule()`. */
  readonly declared: boolean;
  /** Declared, but by no code that runs any more: disabled until it is declared again. */
  readonly gone: boolean;
  readonly nextFireAt: Date | undefined;
  /** The latest fire time that something has become of, not only a job. */
  readonly lastFireAt: Date | undefined;
  /** Why it cannot fire: written by plain SQL, which nobody checks. */
  readonly broken: string | undefined;
}

/**
 * What has become of one fire time.
 *
 * @publicApi
 */
export interface Firing {
  readonly fireTime: Date;
  /** `missed`: this fire time and those before it that have no entry of their own. */
  readonly outcome: 'fired' | 'queued' | 'skipped' | 'missed';
  /** Made by `runNow()`. */
  readonly manual: boolean;
  readonly jobId: string | undefined;
  /** `undefined` when there is no job, or not any more. */
  readonly jobState: JobState | undefined;
}

/** What the repository is asked to store, checked. Times are UTC epoch milliseconds, 0 stands for none. */
export interface NewSchedule {
  readonly name: string;
  readonly spec: string;
  readonly timeZone: string;
  readonly type: string;
  /** JSON text. */
  readonly payload: string;
  /** `undefined`: as it is; a new one is enabled. */
  readonly enabled: boolean | undefined;
  readonly misfire: Misfire;
  readonly misfireLimit: number;
  readonly overlap: Overlap;
  readonly jitter: number;
  readonly startsAt: number;
  readonly endsAt: number;
  readonly alertAfter: number;
  readonly description: string | undefined;
  /** JSON text. */
  readonly extra: string | undefined;
}
