import type { Lateness } from '../../repository/schedule-repository.js';
import { latestFired } from './fire-rows.js';
import type { MemoryStore } from './memory-store.js';
import type { ScheduleRow } from './rows.js';
import { schedulesOf } from './schedule-rows.js';

/** Schedules that have become late, or are no longer: each is answered once. */
export function lateness(store: MemoryStore, service: string): Lateness[] {
  const watched = schedulesOf(store, service).filter(
    ({ enabled, given, planned }) => enabled && given.alertAfter > 0 && planned !== undefined,
  );
  return watched.flatMap((row) => {
    row.succeeded_at = Math.max(row.succeeded_at, lastSuccess(store, row));
    const since = Math.max(row.succeeded_at, row.planned_at);
    const late = store.now - since > row.given.alertAfter;
    if (late === row.late) return [];
    row.late = late;
    return [{ name: row.given.name, late, since }];
  });
}

function lastSuccess(store: MemoryStore, row: ScheduleRow): number {
  const jobs = new Set(latestFired(store, row).map(({ job_id }) => job_id));
  const ends = store.attempts.filter(({ job_id, outcome }) => jobs.has(job_id) && outcome === 'succeeded');
  return Math.max(0, ...ends.map(({ ended_at }) => ended_at));
}
