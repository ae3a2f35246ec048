import type { AppJobScheduler, JobSchedulerRepeatOptions, JobSchedulerUpdateResult } from '@bull-board/api/typings/app';
import { Injectable } from '@nestjs/common';
import { InvalidScheduleError } from '../../errors/invalid-schedule.error.js';
import { ScheduleNotFoundError } from '../../errors/schedule-not-found.error.js';
import { UnsupportedActionError } from '../../errors/unsupported-action.error.js';
import type { Schedule } from '../../job/schedule.js';
import type { ScheduleOptions } from '../../schedule/schedule-options.js';
import { Schedules } from '../../schedule/schedules.js';
import { parseDuration } from '../../support/duration.js';
import { DashboardReads } from '../dashboard-reads.js';
import { PayloadView } from '../payload-view.js';

/** Schedules as the board's "job schedulers". */
@Injectable()
export class BoardSchedules {
  constructor(
    private readonly schedules: Schedules,
    private readonly payloads: PayloadView,
    private readonly reads: DashboardReads,
  ) {}

  show(schedule: Schedule): Omit<AppJobScheduler, 'queueName'> {
    const { name, type, timeZone, from, until, nextFireAt, lastFireAt } = schedule;
    const data = this.payloads.show(schedule.payload, { id: name, type, field: 'payload' });
    return {
      id: name,
      name: [type, ...remarksOn(schedule)].join(' · '),
      ...timingOf(schedule),
      tz: timeZone,
      ...time('startDate', from),
      ...time('endDate', until),
      ...time('next', nextFireAt),
      ...time('lastRun', lastFireAt),
      template: { data },
    };
  }

  /** Answers the id of the job; `undefined`: there is no such schedule. */
  async runNow(name: string, type: string): Promise<string | undefined> {
    if ((await this.find(name, type)) === undefined) return undefined;
    return (await this.schedules.runNow(name)).id;
  }

  async remove(name: string, type: string): Promise<boolean> {
    if ((await this.find(name, type)) === undefined) return false;
    try {
      await this.schedules.remove(name);
      return true;
    } catch (error) {
      if (error instanceof ScheduleNotFoundError) return false;
      throw error;
    }
  }

  /** What the board does not show stays as it is. */
  async update(name: string, type: string, repeat: JobSchedulerRepeatOptions): Promise<JobSchedulerUpdateResult> {
    if (repeat.limit !== undefined) {
      const cure = 'Leave it out, and say until when the schedule fires.';
      throw new UnsupportedActionError('A limit of how often a schedule fires', repeat.limit, cure);
    }
    const schedule = await this.find(name, type);
    if (schedule === undefined) return 'not-found';
    try {
      await this.schedules.upsert(name, edited(schedule, repeat));
      return 'updated';
    } catch (error) {
      // The board calls the pattern wrong then, whatever is.
      const isPattern = error instanceof InvalidScheduleError && error.field === 'spec' && repeat.pattern !== undefined;
      if (isPattern) return 'invalid-schedule';
      throw error;
    }
  }

  /** Of this type: the board asks below the name of one. */
  private async find(name: string, type: string): Promise<Schedule | undefined> {
    const schedule = await this.reads.inTurn(() => this.schedules.get(name));
    return schedule?.type === type ? schedule : undefined;
  }
}

/** The board's dialog is filled in with all that it can show: what comes back empty has been taken out. */
function edited(schedule: Schedule, { pattern, every, tz, endDate }: JobSchedulerRepeatOptions): ScheduleOptions {
  const { type, payload, enabled, misfire, misfireLimit, overlap, jitter, from, alertAfter } = schedule;
  const { description, extra } = schedule;
  const optional = { from, until: endDate === undefined ? undefined : new Date(endDate), description, extra };
  return {
    spec: pattern ?? `@every ${every}ms`,
    type,
    payload,
    enabled,
    timeZone: tz ?? 'UTC',
    misfire,
    misfireLimit,
    overlap,
    jitter,
    ...(alertAfter === undefined ? {} : { alertAfter }),
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  };
}

function timingOf({ spec }: Schedule): { every: number } | { pattern: string } {
  const every = parseDuration(/^@every\s+(\S+)$/.exec(spec)?.[1]);
  return every === undefined ? { pattern: spec } : { every };
}

function remarksOn({ enabled, gone, broken }: Schedule): string[] {
  return [
    ...(broken === undefined ? [] : [`broken: ${broken}`]),
    ...(gone ? ['its code is gone'] : enabled ? [] : ['disabled']),
  ];
}

function time<Key extends string>(key: Key, at: Date | undefined): Partial<Record<Key, number>> {
  return at === undefined ? {} : ({ [key]: at.getTime() } as Record<Key, number>);
}
