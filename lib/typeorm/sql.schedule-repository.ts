import { Injectable } from '@nestjs/common';
import type { Firing, NewSchedule, Schedule } from '../job/schedule.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import {
  ScheduleRepository,
  type FireRequest,
  type FireResult,
  type Lateness,
  type PendingSchedule,
  type PendingSchedules,
} from '../repository/schedule-repository.js';
import { QueueConnection } from './queue-connection.js';
import { declareSchedules } from './statements/declare-schedules.js';
import { fireQueued, fireSchedule, fireScheduleNow } from './statements/fire-schedule.js';
import { lateSchedules, schedulesLateNow } from './statements/late-schedules.js';
import { pendingSchedules, planSchedule, unplanSchedule } from './statements/plan-schedules.js';
import {
  enableSchedule,
  readFiring,
  readSchedule,
  removeSchedule,
  saveSchedule,
  selectFirings,
  selectSchedule,
  selectSchedules,
} from './statements/schedules.js';

@Injectable()
export class SqlScheduleRepository extends ScheduleRepository {
  constructor(
    private readonly connection: QueueConnection,
    private readonly options: ResolvedOptions,
  ) {
    super();
  }

  save(schedule: NewSchedule): Promise<void> {
    return this.connection.transaction((tables) => saveSchedule(tables, schedule));
  }

  declare(schedules: readonly NewSchedule[]): Promise<string[]> {
    return this.connection.transaction((tables) => declareSchedules(tables, schedules));
  }

  async setEnabled(name: string, enabled: boolean): Promise<boolean> {
    const { database, tables } = await this.connection.get();
    const { affected } = await database.query(enableSchedule(tables, name, enabled));
    return affected > 0;
  }

  remove(name: string): Promise<boolean> {
    return this.connection.transaction((tables) => removeSchedule(tables, name));
  }

  async list(): Promise<Schedule[]> {
    const { database, tables } = await this.connection.get();
    return (await database.query(selectSchedules(tables))).rows.map(readSchedule);
  }

  async get(name: string): Promise<Schedule | undefined> {
    const { database, tables } = await this.connection.get();
    const row = (await database.query(selectSchedule(tables, name))).rows[0];
    return row === undefined ? undefined : readSchedule(row);
  }

  async history(name: string, limit: number): Promise<Firing[]> {
    const { database, tables } = await this.connection.get();
    return (await database.query(selectFirings(tables, name, limit))).rows.map(readFiring);
  }

  async pending(limit: number): Promise<PendingSchedules> {
    const { database, tables } = await this.connection.get();
    return database.run(() => pendingSchedules(tables, limit));
  }

  async plan(schedule: PendingSchedule, next: number | undefined, broken?: string): Promise<boolean> {
    const { database, tables } = await this.connection.get();
    return (await database.query(planSchedule(tables, schedule, { next: next ?? 0, broken }))).affected > 0;
  }

  async unplan(schedule: PendingSchedule): Promise<boolean> {
    const { database, tables } = await this.connection.get();
    return (await database.query(unplanSchedule(tables, schedule))).affected > 0;
  }

  fire(request: FireRequest): Promise<FireResult | undefined> {
    return this.connection.transaction((tables) => fireSchedule(tables, request, this.options.retention.history));
  }

  fireNow(name: string, traceId?: string): Promise<FireResult | undefined> {
    return this.connection.transaction((tables) => fireScheduleNow(tables, name, traceId));
  }

  fireQueued(schedule: PendingSchedule, traceId?: string): Promise<FireResult> {
    return this.connection.transaction((tables) => fireQueued(tables, schedule, traceId));
  }

  async lateness(): Promise<Lateness[]> {
    const { database, tables } = await this.connection.get();
    return database.run(() => lateSchedules(tables));
  }

  async lateNow(): Promise<Lateness[]> {
    const { database, tables } = await this.connection.get();
    return database.run(() => schedulesLateNow(tables));
  }
}
