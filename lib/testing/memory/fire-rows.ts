import { jobOfFiring } from '../../job/job-of-firing.js';
import type { FiredJob, FireRequest, FireResult } from '../../repository/schedule-repository.js';
import { insertRows } from './insert-rows.js';
import type { MemoryStore } from './memory-store.js';
import type { FiringRow, JobRow, ScheduleRow } from './rows.js';
import { isEdited } from './schedule-rows.js';

const LATEST = 100;
const OPEN: readonly string[] = ['scheduled', 'waiting', 'running'];
const NOTHING: FireResult = { fired: [], skipped: [], broken: undefined };

/** Makes the jobs of fire times. `undefined`: somebody else has, or the schedule has been edited. */
export function fireRow(store: MemoryStore, request: FireRequest, keep: number): FireResult | undefined {
  const { schedule, next = 0, broken } = request;
  const row = store.schedules.get(schedule.id);
  if (row === undefined || !row.enabled || row.next_fire !== schedule.nextFire || isEdited(row)) return undefined;
  const latest = Math.max(0, request.missed ?? 0, ...request.times);
  Object.assign(row, { next_fire: next, last_fire: Math.max(row.last_fire, latest), broken });
  const done = new Set(firingsOf(store, row).flatMap(({ manual, fire_at }) => (manual ? [] : [fire_at])));
  const { missed } = request;
  if (missed !== undefined && !done.has(missed)) record(store, row, { fire_at: missed, outcome: 'missed' });
  const result = fireAll(
    store,
    row,
    request.times.filter((time) => !done.has(time)),
    request.traceId,
  );
  forget(store, row, schedule.nextFire - keep);
  return result;
}

/** Whatever its plan and its overlap say. */
export function fireRowNow(store: MemoryStore, row: ScheduleRow, traceId?: string): FireResult {
  const manual = firingsOf(store, row).filter((firing) => firing.manual);
  // Two within a millisecond are two firings.
  const fireTime = Math.max(store.now, 1 + Math.max(0, ...manual.map(({ fire_at }) => fire_at)));
  return { ...NOTHING, fired: [fireOnce(store, row, fireTime, { manual: true, traceId })] };
}

/** Makes the job of the oldest fire time in the queue, unless one before it is still open. */
export function fireQueuedRow(store: MemoryStore, row: ScheduleRow | undefined, traceId?: string): FireResult {
  if (row === undefined || !row.enabled) return NOTHING;
  const [oldest] = queueOf(store, row);
  if (oldest === undefined) row.queued = 0;
  if (oldest === undefined || (row.given.overlap === 'queue' && isOpen(store, row))) return NOTHING;
  store.firings = store.firings.filter((firing) => firing !== oldest);
  row.queued--;
  row.broken = undefined;
  return { ...NOTHING, fired: [fireOnce(store, row, oldest.fire_at, { traceId })] };
}

export function firingsOf({ firings }: MemoryStore, { id }: ScheduleRow): FiringRow[] {
  return firings.filter(({ schedule_id }) => schedule_id === id);
}

/** The latest jobs of its firings. */
export function latestFired(store: MemoryStore, row: ScheduleRow): FiringRow[] {
  const fired = firingsOf(store, row).filter(({ outcome }) => outcome === 'fired');
  return fired.sort((a, b) => b.fire_at - a.fire_at).slice(0, LATEST);
}

function queueOf(store: MemoryStore, row: ScheduleRow): FiringRow[] {
  const queued = firingsOf(store, row).filter(({ outcome }) => outcome === 'queued');
  return queued.sort((a, b) => a.fire_at - b.fire_at);
}

function fireAll(
  store: MemoryStore,
  row: ScheduleRow,
  times: readonly number[],
  traceId: string | undefined,
): FireResult {
  const fired: FiredJob[] = [];
  const skipped: number[] = [];
  for (const fireTime of times) {
    const overlap = mustWait(store, row) ? row.given.overlap : 'allow';
    if (overlap === 'allow') fired.push(fireOnce(store, row, fireTime, { traceId }));
    else record(store, row, { fire_at: fireTime, outcome: overlap === 'skip' ? 'skipped' : 'queued' });
    if (overlap === 'skip') skipped.push(fireTime);
    if (overlap === 'queue') row.queued++;
  }
  return { fired, skipped, broken: undefined };
}

/** A fire time must not overtake those that wait in the queue. */
function mustWait(store: MemoryStore, row: ScheduleRow): boolean {
  const { overlap } = row.given;
  if (overlap === 'allow') return false;
  return (overlap === 'queue' && queueOf(store, row).length > 0) || isOpen(store, row);
}

function isOpen(store: MemoryStore, row: ScheduleRow): boolean {
  return latestFired(store, row).some(({ job_id }) => isOpenJob(store.jobs.get(job_id)));
}

function isOpenJob(job: JobRow | undefined): boolean {
  return job !== undefined && OPEN.includes(job.state);
}

function fireOnce(
  store: MemoryStore,
  row: ScheduleRow,
  fireTime: number,
  { manual = false, traceId }: { manual?: boolean; traceId: string | undefined },
): FiredJob {
  const job = jobOfFiring({ ...row.given, traceId }, fireTime, manual);
  const { answers, created } = insertRows(store, row.service, [job]);
  for (const made of created) made.hidden = false;
  const id = answers[0]?.id ?? '';
  record(store, row, { fire_at: fireTime, outcome: 'fired', manual, job_id: Number(id) });
  return { fireTime, id, type: job.type, isDue: 'delay' in job.due };
}

function record(
  store: MemoryStore,
  { id }: ScheduleRow,
  firing: Pick<FiringRow, 'fire_at' | 'outcome'> & Partial<FiringRow>,
): void {
  store.firings.push({ schedule_id: id, manual: false, job_id: 0, ...firing });
}

/** Not those whose job is open: what comes next would not know that it overlaps. */
function forget(store: MemoryStore, { id }: ScheduleRow, before: number): void {
  store.firings = store.firings.filter(
    ({ schedule_id, fire_at, outcome, job_id }) =>
      schedule_id !== id || fire_at >= before || outcome === 'queued' || isOpenJob(store.jobs.get(job_id)),
  );
}
