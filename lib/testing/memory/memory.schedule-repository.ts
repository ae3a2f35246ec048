import type { Firing, NewSchedule, Schedule } from '../../job/schedule.js';
import type { ResolvedOptions } from '../../options/resolved-options.js';
import {
  ScheduleRepository,
  type FireRequest,
  type FireResult,
  type Lateness,
  type PendingSchedule,
  type PendingSchedules,
} from '../../repository/schedule-repository.js';
import { byBytes } from '../../typeorm/statements/gaps.js';
import { readFiring } from '../../typeorm/statements/schedules.js';
import { declareRows } from './declare-rows.js';
import { fireQueuedRow, fireRow, fireRowNow, firingsOf } from './fire-rows.js';
import { lateness, lateNow } from './late-rows.js';
import type { MemoryStore } from './memory-store.js';
import type { Arrivals } from './memory.job-repository.js';
import type { ScheduleRow } from './rows.js';
import { isEdited, isUnsettled, nextFire, planOf, saveRow, scheduleNamed, schedulesOf } from './schedule-rows.js';
import { toPending, toSchedule } from './schedule-rows.js';

export class MemoryScheduleRepository extends ScheduleRepository {
  constructor(
    private readonly store: MemoryStore,
    private readonly options: ResolvedOptions,
    private readonly arrivals: Arrivals = () => undefined,
  ) {
    super();
  }

  async save(schedule: NewSchedule): Promise<void> {
    saveRow(this.store, this.service, schedule);
  }

  async declare(schedules: readonly NewSchedule[]): Promise<string[]> {
    return declareRows(this.store, this.service, schedules);
  }

  async setEnabled(name: string, enabled: boolean): Promise<boolean> {
    const row = this.named(name);
    if (row === undefined) return false;
    // What came in while it was disabled is not missed.
    if (enabled && !row.enabled) row.planned = undefined;
    Object.assign(row, { enabled, gone: false });
    return true;
  }

  async remove(name: string): Promise<boolean> {
    const row = this.named(name);
    if (row === undefined) return false;
    this.store.firings = this.store.firings.filter(({ schedule_id }) => schedule_id !== row.id);
    return this.store.schedules.delete(row.id);
  }

  async list(): Promise<Schedule[]> {
    return this.rows.map(toSchedule).sort((a, b) => byBytes(a.name, b.name));
  }

  async get(name: string): Promise<Schedule | undefined> {
    const row = this.named(name);
    return row && toSchedule(row);
  }

  async history(name: string, limit: number): Promise<Firing[]> {
    const row = this.named(name);
    const firings = row === undefined ? [] : firingsOf(this.store, row);
    return firings
      .sort((a, b) => b.fire_at - a.fire_at || Number(b.manual) - Number(a.manual))
      .slice(0, limit)
      .map((firing) => readFiring({ ...firing, state: this.store.jobs.get(firing.job_id)?.state }));
  }

  async pending(limit: number): Promise<PendingSchedules> {
    const { now } = this.store;
    const isDue = ({ enabled, next_fire }: ScheduleRow) => enabled && next_fire > 0 && next_fire <= now;
    const rows = this.rows.filter((row) => isUnsettled(row) || isDue(row));
    rows.sort((a, b) => Number(a.queued > 0) - Number(b.queued > 0) || a.next_fire - b.next_fire);
    const next = nextFire(this.rows);
    return { schedules: rows.slice(0, limit).map(toPending), now, nextIn: next === undefined ? next : next - now };
  }

  async plan(schedule: PendingSchedule, next: number | undefined, broken?: string): Promise<boolean> {
    const row = this.store.schedules.get(schedule.id);
    const { spec, timeZone, startsAt, endsAt } = schedule;
    if (row === undefined || !isEdited(row) || planOf(row) !== JSON.stringify([spec, timeZone, startsAt, endsAt]))
      return false;
    Object.assign(row, { planned: planOf(row), next_fire: next ?? 0, broken, planned_at: this.store.now });
    return true;
  }

  async unplan({ id }: PendingSchedule): Promise<boolean> {
    const row = this.store.schedules.get(id);
    if (row === undefined || row.enabled || row.gone || row.planned === undefined) return false;
    Object.assign(row, { planned: undefined, next_fire: 0, late: false });
    return true;
  }

  async fire(request: FireRequest): Promise<FireResult | undefined> {
    return fireRow(this.store, request, this.options.retention.history);
  }

  async fireNow(name: string, traceId?: string): Promise<FireResult | undefined> {
    const row = this.named(name);
    return row && this.tell(fireRowNow(this.store, row, traceId));
  }

  async fireQueued({ id }: PendingSchedule, traceId?: string): Promise<FireResult> {
    return fireQueuedRow(this.store, this.store.schedules.get(id), traceId);
  }

  async lateness(): Promise<Lateness[]> {
    return lateness(this.store, this.service);
  }

  async lateNow(): Promise<Lateness[]> {
    return lateNow(this.store, this.service);
  }

  private async tell(result: FireResult): Promise<FireResult> {
    await this.arrivals(result.fired.flatMap(({ id }) => this.store.job(this.service, id) ?? []));
    return result;
  }

  private get service(): string {
    return this.options.serviceName;
  }

  private get rows(): ScheduleRow[] {
    return schedulesOf(this.store, this.service);
  }

  private named(name: string): ScheduleRow | undefined {
    return scheduleNamed(this.store, this.service, name);
  }
}
