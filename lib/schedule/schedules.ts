import { Injectable } from '@nestjs/common';
import { InvalidScheduleError } from '../errors/invalid-schedule.error.js';
import { ScheduleNotFoundError } from '../errors/schedule-not-found.error.js';
import { QueueEvents } from '../events/queue-events.js';
import { JobInstrumentation } from '../instrumentation/job-instrumentation.js';
import type { Firing, Schedule } from '../job/schedule.js';
import { OptionReader } from '../options/option-reader.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { ScheduleRepository, type FireResult } from '../repository/schedule-repository.js';
import { WakeSignal } from '../signal/wake-signal.js';
import { nextTime } from './due-times.js';
import { observeFiring } from './observe-firing.js';
import { readSchedule, readScheduleName } from './read-schedule.js';
import { ScheduleFirer } from './schedule-firer.js';
import type { ScheduleOptions, ScheduleTiming } from './schedule-options.js';
import { parseSpec } from './spec/parse-spec.js';

/**
 * The schedules of the service: rows of the database, so that what is changed here, or by plain SQL, takes effect on every node
 * within 5 s. Each fire time becomes one job, whichever node makes it, with attempts, history and a trace id.
 *
 * @publicApi
 */
@Injectable()
export class Schedules {
  constructor(
    private readonly repository: ScheduleRepository,
    private readonly firer: ScheduleFirer,
    private readonly wakeSignal: WakeSignal,
    private readonly events: QueueEvents,
    private readonly instrumentation: JobInstrumentation,
    private readonly options: ResolvedOptions,
  ) {}

  /**
   * Stores a schedule, in place of the one with the same name. With another spec, zone, `from` or `until` it fires from now on, and what it
   * would have fired before is not made up for. One that code declares stays as it is stored here until the declaration changes.
   *
   * @throws InvalidScheduleError for a spec, zone or option that cannot be used, with the position of the fault in a spec.
   */
  async upsert(name: string, options: ScheduleOptions): Promise<Schedule> {
    await this.repository.save(readSchedule(name, options, this.options.maxPayloadBytes));
    this.firer.wake();
    return this.existing(name);
  }

  /** Lets it fire again, from now on. @throws ScheduleNotFoundError */
  enable(name: string): Promise<void> {
    return this.change(name, () => this.repository.setEnabled(name, true));
  }

  /** Nothing fires any more; jobs that were made go on. @throws ScheduleNotFoundError */
  disable(name: string): Promise<void> {
    return this.change(name, () => this.repository.setEnabled(name, false));
  }

  /** Deletes it and the history of its firings; its jobs stay. One that code declares comes back with the next start. @throws ScheduleNotFoundError */
  remove(name: string): Promise<void> {
    return this.change(name, () => this.repository.remove(name));
  }

  /** `undefined`: there is none with this name. */
  get(name: string): Promise<Schedule | undefined> {
    return this.repository.get(name);
  }

  /** All of the service, by name. */
  list(): Promise<Schedule[]> {
    return this.repository.list();
  }

  /**
   * The next fire times of a schedule, or of a spec that is not stored, after `after` (default: now, by this process's clock). `count`: 1 to
   * 1,000, default 5. Fewer when it ends before. A schedule that is disabled is shown as if it were not.
   *
   * @throws ScheduleNotFoundError, InvalidScheduleError
   */
  async preview(
    what: string | (Pick<ScheduleOptions, 'spec'> & Pick<ScheduleTiming, 'timeZone' | 'from' | 'until'>),
    options: { count?: number; after?: Date } = {},
  ): Promise<Date[]> {
    const count = new OptionReader('preview()', options, ['count', 'after']).integer('count', 5, 1, 1_000);
    const { spec, timeZone, from, until } = typeof what === 'string' ? await this.existing(what) : what;
    const times = parseSpec(spec, timeZone ?? 'UTC');
    const bounds = { startsAt: from?.getTime() ?? 0, endsAt: until?.getTime() ?? 0 };
    const preview: Date[] = [];
    let time = nextTime(times, options.after?.getTime() ?? Date.now(), bounds);
    while (time !== undefined && preview.length < count) {
      preview.push(new Date(time));
      time = nextTime(times, time, bounds);
    }
    return preview;
  }

  /**
   * Makes a job of it now, whatever its spec and its overlap say, also while it is disabled. Answers the job's id.
   *
   * @throws ScheduleNotFoundError; InvalidScheduleError when plain SQL has written something into it that no job can be made of.
   */
  async runNow(name: string): Promise<{ id: string }> {
    const result = await this.fireNow(readScheduleName(name));
    if (result === undefined) throw new ScheduleNotFoundError(name);
    const [job] = result.fired;
    if (job === undefined)
      throw new InvalidScheduleError('row', name, `its ${result.broken}`, 'Store it anew with upsert().');
    const fireTime = new Date(job.fireTime);
    this.events.emit({ name: 'schedule.fired', schedule: name, fireTime, job: { id: job.id, type: job.type } });
    this.wakeSignal.notify([{ type: job.type, priority: 0 }]);
    return { id: job.id };
  }

  /** What has become of its fire times, newest first. `limit`: 1 to 1,000, default 100. Kept as long as the history of jobs. */
  history(name: string, options: { limit?: number } = {}): Promise<Firing[]> {
    const limit = new OptionReader('history()', options, ['limit']).integer('limit', 100, 1, 1_000);
    return this.repository.history(name, limit);
  }

  private async fireNow(name: string): Promise<FireResult | undefined> {
    const fire = (traceId?: string) => this.repository.fireNow(name, traceId);
    if (this.instrumentation.current === undefined) return fire();
    // What cannot be read cannot be fired either, and that says why.
    const schedule = await this.repository.get(name).catch(() => undefined);
    return schedule === undefined ? fire() : observeFiring(this.instrumentation, schedule, fire, true);
  }

  private async existing(name: string): Promise<Schedule> {
    const schedule = await this.repository.get(name);
    if (schedule === undefined) throw new ScheduleNotFoundError(name);
    return schedule;
  }

  private async change(name: string, change: () => Promise<boolean>): Promise<void> {
    if (!(await change())) throw new ScheduleNotFoundError(name);
    this.firer.wake();
  }
}
