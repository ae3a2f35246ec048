import type { NewSchedule, Schedule } from '../../job/schedule.js';
import type { PendingSchedule } from '../../repository/schedule-repository.js';
import { optionalDate, optionalMoment, parseJson } from '../../typeorm/row.js';
import type { MemoryStore } from './memory-store.js';
import type { ScheduleRow } from './rows.js';

export function schedulesOf({ schedules }: MemoryStore, service: string): ScheduleRow[] {
  return [...schedules.values()].filter((row) => row.service === service);
}

export function scheduleNamed(store: MemoryStore, service: string, name: string): ScheduleRow | undefined {
  return schedulesOf(store, service).find(({ given }) => given.name === name);
}

/** Stores a schedule in place of the one with its name. `declared`: by code, and as what. */
export function saveRow(store: MemoryStore, service: string, given: NewSchedule, declared?: string): void {
  const known = scheduleNamed(store, service, given.name);
  if (known === undefined) return addRow(store, service, given, declared);
  if (known.gone) Object.assign(known, { enabled: true, gone: false, declared: undefined });
  known.given = given;
  known.broken = undefined;
  known.enabled = given.enabled ?? known.enabled;
  // Stored by the service it is an edit, and the next start must not take the old declaration for a new one.
  known.declared = declared ?? known.declared;
}

function addRow(store: MemoryStore, service: string, given: NewSchedule, declared: string | undefined): void {
  const id = store.nextId('schedule');
  store.schedules.set(id, {
    id,
    service,
    given,
    enabled: given.enabled ?? true,
    gone: false,
    declared,
    broken: undefined,
    planned: undefined,
    planned_at: 0,
    next_fire: 0,
    last_fire: 0,
    queued: 0,
    late: false,
    succeeded_at: 0,
  });
}

/** What its fire times are calculated from. */
export function planOf({ given: { spec, timeZone, startsAt, endsAt } }: ScheduleRow): string {
  return JSON.stringify([spec, timeZone, startsAt, endsAt]);
}

export function isEdited(row: ScheduleRow): boolean {
  return row.planned !== planOf(row);
}

/** Something has to be done about it, whatever the time is. */
export function isUnsettled(row: ScheduleRow): boolean {
  return row.enabled ? isEdited(row) || row.queued > 0 : !row.gone && row.planned !== undefined;
}

export function nextScheduleIn(store: MemoryStore, service: string): number | undefined {
  const rows = schedulesOf(store, service);
  if (rows.some(isUnsettled)) return 0;
  const next = nextFire(rows);
  return next === undefined ? undefined : next - store.now;
}

export function nextFire(rows: readonly ScheduleRow[]): number | undefined {
  const times = rows.filter(({ enabled, next_fire }) => enabled && next_fire > 0).map(({ next_fire }) => next_fire);
  return times.length === 0 ? undefined : Math.min(...times);
}

export function toPending(row: ScheduleRow): PendingSchedule {
  const { name, type, spec, timeZone, startsAt, endsAt, misfire, misfireLimit } = row.given;
  return {
    name,
    type,
    spec,
    timeZone,
    startsAt,
    endsAt,
    misfire,
    misfireLimit,
    id: row.id,
    enabled: row.enabled,
    nextFire: row.next_fire,
    lastFire: row.last_fire,
    edited: isEdited(row),
    queued: row.queued,
  };
}

export function toSchedule(row: ScheduleRow): Schedule {
  const { name, spec, timeZone, type, misfire, misfireLimit, overlap, jitter } = row.given;
  return {
    name,
    spec,
    timeZone,
    type,
    misfire,
    misfireLimit,
    overlap,
    jitter,
    payload: parseJson(row.given.payload),
    enabled: row.enabled,
    from: optionalDate(optionalMoment(row.given.startsAt)),
    until: optionalDate(optionalMoment(row.given.endsAt)),
    alertAfter: optionalMoment(row.given.alertAfter),
    description: row.given.description,
    extra: parseJson(row.given.extra),
    declared: row.declared !== undefined,
    gone: row.gone,
    nextFireAt: optionalDate(optionalMoment(row.next_fire)),
    lastFireAt: optionalDate(optionalMoment(row.last_fire)),
    broken: row.broken,
  };
}
