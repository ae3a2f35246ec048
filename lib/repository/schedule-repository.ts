import type { Firing, Misfire, NewSchedule, Schedule } from '../job/schedule.js';

/** What a schedule's next fire time is calculated from. */
export interface PlanInput {
  readonly spec: string;
  readonly timeZone: string;
  readonly startsAt: number;
  readonly endsAt: number;
}

/** A schedule that something has to be done about. Times are UTC epoch milliseconds, 0 stands for none. */
export interface PendingSchedule extends PlanInput {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly enabled: boolean;
  readonly misfire: Misfire;
  readonly misfireLimit: number;
  readonly nextFire: number;
  /** The latest fire time that something has become of. */
  readonly lastFire: number;
  /** Its spec, zone, beginning or end are not those that `nextFire` was calculated from. */
  readonly edited: boolean;
  /** Fire times that wait for an earlier job. */
  readonly queued: number;
}

export interface PendingSchedules {
  readonly schedules: readonly PendingSchedule[];
  /** The database's clock. */
  readonly now: number;
  /** Milliseconds until the next of the others fires. */
  readonly nextIn: number | undefined;
}

export interface FireRequest {
  readonly schedule: PendingSchedule;
  /** Fire times, oldest first. */
  readonly times: readonly number[];
  /** The latest of those that are left out. */
  readonly missed: number | undefined;
  readonly next: number | undefined;
  /** Why there are none. */
  readonly broken?: string;
  /** Of the jobs; by default each has a new one. */
  readonly traceId?: string | undefined;
}

/** A fire time and the job that was made of it. */
export interface FiredJob {
  readonly fireTime: number;
  readonly id: string;
  readonly type: string;
  /** It may start now. */
  readonly isDue: boolean;
}

export interface FireResult {
  readonly fired: readonly FiredJob[];
  readonly skipped: readonly number[];
  /** Why no job could be made. */
  readonly broken: string | undefined;
}

/** A schedule that has not succeeded for longer than its `alertAfter`, or does so again. */
export interface Lateness {
  readonly name: string;
  readonly late: boolean;
  /** Of the last success, or of the first plan. */
  readonly since: number;
}

/** Everything that is asked of a database about the schedules of one service. Every time is the database's. */
export abstract class ScheduleRepository {
  /** Stores a schedule in place of the one with its name. */
  abstract save(schedule: NewSchedule): Promise<void>;
  /**
   * Stores what code declares, unless the same was declared before: what has been edited since stays. A schedule that was gone is
   * enabled again. Answers those whose code is gone: declared by no node that is alive and not here.
   */
  abstract declare(schedules: readonly NewSchedule[]): Promise<string[]>;
  /** `false`: there is none with this name. */
  abstract setEnabled(name: string, enabled: boolean): Promise<boolean>;
  abstract remove(name: string): Promise<boolean>;
  abstract list(): Promise<Schedule[]>;
  abstract get(name: string): Promise<Schedule | undefined>;
  /** Newest first. */
  abstract history(name: string, limit: number): Promise<Firing[]>;

  abstract pending(limit: number): Promise<PendingSchedules>;
  /** Writes down when it fires next, or why it never can. `false`: it has been edited or planned meanwhile. */
  abstract plan(schedule: PendingSchedule, next: number | undefined, broken?: string): Promise<boolean>;
  /** Forgets the plan of one that is disabled, so that the time until it is enabled again is not missed. `false`: it is not. */
  abstract unplan(schedule: PendingSchedule): Promise<boolean>;
  /** Makes the jobs of fire times and moves on to the next one, together. `undefined`: another node has, or it has been edited. */
  abstract fire(request: FireRequest): Promise<FireResult | undefined>;
  /** Makes a job now, beside the plan. `undefined`: there is no schedule with this name. */
  abstract fireNow(name: string, traceId?: string): Promise<FireResult | undefined>;
  /** Makes the job of the oldest queued fire time, if the ones before have ended. */
  abstract fireQueued(schedule: PendingSchedule, traceId?: string): Promise<FireResult>;
  /** Schedules that have become late or are no longer: each is answered to one node, once. */
  abstract lateness(): Promise<Lateness[]>;
  /** Those that are late at this moment, whoever has been told: it changes nothing. */
  abstract lateNow(): Promise<Lateness[]>;
}
