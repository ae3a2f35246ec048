import type { Lateness } from '../../repository/schedule-repository.js';
import { latestFired } from './fire-rows.js';
import type { MemoryStore } from './memory-store.js';
import type { JobRow, ScheduleRow } from './rows.js';
import { schedulesOf } from './schedule-rows.js';

/** Schedules that have become late, or are no longer: each is answered once. */
export function lateness(store: MemoryStore, service: string): Lateness[] {
  return look(store, service).flatMap(({ row, lateness: seen }) => {
    if (seen.late === row.late) return [];
    row.late = seen.late;
    return [seen];
  });
}

export function lateNow(store: MemoryStore, service: string): Lateness[] {
  return look(store, service).flatMap(({ lateness: seen }) => (seen.late ? [seen] : []));
}

function look(store: MemoryStore, service: string): { row: ScheduleRow; lateness: Lateness }[] {
  const watched = schedulesOf(store, service).filter(
    ({ enabled, given, planned }) => enabled && given.alertAfter > 0 && planned !== undefined,
  );
  return watched.map((row) => {
    row.succeeded_at = Math.max(row.succeeded_at, lastSuccess(store, row));
    const since = Math.max(row.succeeded_at, row.planned_at);
    return { row, lateness: { name: row.given.name, late: store.now - since > row.given.alertAfter, since } };
  });
}

/** Before history is deleted by hand, from which it is read. */
export function keepLastSuccesses(store: MemoryStore, { service, type }: JobRow): void {
  const watched = schedulesOf(store, service).filter(({ given }) => given.type === type && given.alertAfter > 0);
  for (const row of watched) row.succeeded_at = Math.max(row.succeeded_at, lastSuccess(store, row));
}

function lastSuccess(store: MemoryStore, row: ScheduleRow): number {
  const jobs = new Set(latestFired(store, row).map(({ job_id }) => job_id));
  const ends = store.attempts.filter(({ job_id, outcome }) => jobs.has(job_id) && outcome === 'succeeded');
  return Math.max(0, ...ends.map(({ ended_at }) => ended_at));
}
