import { jobTypeFault } from '../../job/job-type.js';
import { jobOfFiring, type FiredSchedule } from '../../job/job-of-firing.js';
import type { FiredJob, FireRequest, FireResult, PendingSchedule } from '../../repository/schedule-repository.js';
import type { QueueTables } from '../queue-tables.js';
import { optional } from '../row.js';
import { statement, type Row, type Script } from '../statement.js';
import { insertJobs } from './insert-jobs.js';

/** How many of the latest jobs are looked at to know whether one is still open. */
const LATEST = 100;

const OPEN = "('scheduled', 'waiting', 'running')";

/**
 * Makes the jobs of fire times. Whoever moves `next_fire` on has the right to: the row stays locked until the jobs are committed
 * with it, and what is made is what the row says then.
 */
export function* fireSchedule(tables: QueueTables, request: FireRequest, keep: number): Script<FireResult | undefined> {
  const { dialect, names } = tables;
  const { schedule, next, broken = null } = request;
  const latest = Math.max(0, request.missed ?? 0, ...request.times);
  const { affected } = yield statement(
    `UPDATE ${names.schedule} SET next_fire = ?, last_fire = ${dialect.greatest('last_fire', '?')}, broken = ? ` +
      'WHERE id = ? AND enabled = 1 AND next_fire = ? ' +
      'AND planned_spec = spec AND planned_zone = time_zone AND planned_start = starts_at AND planned_end = ends_at',
    [next ?? 0, latest, broken, schedule.id, schedule.nextFire],
  );
  if (affected === 0) return undefined;
  const row = yield* lockSchedule(tables, schedule.id);
  if (row === undefined) return undefined;
  const { times, missed } = yield* withoutDone(tables, request);
  if (missed !== undefined)
    yield* recordFiring(tables, { scheduleId: schedule.id, fireTime: missed, outcome: 'missed' });
  const result = yield* fireAll(tables, row, times, request.traceId);
  yield* forget(tables, schedule.id, schedule.nextFire - keep);
  return result;
}

/** When the clock was put back, a plan that was made again comes to fire times once more. */
function* withoutDone(
  { names }: QueueTables,
  { schedule: { id, lastFire }, times, missed }: FireRequest,
): Script<Pick<FireRequest, 'times' | 'missed'>> {
  const first = Math.min(missed ?? Infinity, ...times);
  if (first > lastFire) return { times, missed };
  const { rows } = yield statement(
    `SELECT fire_at FROM ${names.firing} WHERE schedule_id = ? AND manual = 0 AND fire_at >= ?`,
    [id, first],
  );
  const done = new Set(rows.map((row) => Number(row['fire_at'])));
  const isDone = missed !== undefined && done.has(missed);
  return { times: times.filter((time) => !done.has(time)), missed: isDone ? undefined : missed };
}

/** Not those whose job is open: what comes next would not know that it overlaps. */
function* forget({ names }: QueueTables, id: number, before: number): Script<void> {
  const job = `SELECT 1 FROM ${names.job} j WHERE j.id = ${names.firing}.job_id AND j.state IN ${OPEN}`;
  yield statement(
    `DELETE FROM ${names.firing} WHERE schedule_id = ? AND fire_at < ? AND outcome <> 'queued' AND NOT EXISTS (${job})`,
    [id, before],
  );
}

/** Whatever its plan and its overlap say. */
export function* fireScheduleNow(tables: QueueTables, name: string, traceId?: string): Script<FireResult | undefined> {
  const { dialect, names, service } = tables;
  const found = yield statement(
    `SELECT s.*, ${dialect.now} AS now FROM ${names.schedule} s WHERE service = ? AND name = ?${dialect.lockRow}`,
    [service, name],
  );
  const row = found.rows[0];
  if (row === undefined) return undefined;
  const fault = faultOf(row);
  if (fault !== undefined) return { fired: [], skipped: [], broken: fault };
  const latest = yield statement(
    `SELECT MAX(fire_at) AS latest FROM ${names.firing} WHERE schedule_id = ? AND manual = 1`,
    [Number(row['id'])],
  );
  // Two within a millisecond are two firings.
  const fireTime = Math.max(Number(row['now']), Number(latest.rows[0]?.['latest'] ?? 0) + 1);
  const job = yield* fireOnce(tables, row, fireTime, { manual: true, traceId });
  return { fired: [job], skipped: [], broken: undefined };
}

/** Makes the job of the oldest fire time in the queue, unless one before it is still open. */
export function* fireQueued(tables: QueueTables, { id }: PendingSchedule, traceId?: string): Script<FireResult> {
  const { names } = tables;
  const nothing = { fired: [], skipped: [], broken: undefined };
  const row = yield* lockSchedule(tables, id);
  if (row === undefined || Number(row['enabled']) === 0) return nothing;
  const oldest = yield statement(
    `SELECT MIN(fire_at) AS oldest FROM ${names.firing} WHERE schedule_id = ? AND outcome = 'queued'`,
    [id],
  );
  const fireTime = Number(oldest.rows[0]?.['oldest'] ?? 0);
  if (fireTime === 0) {
    yield statement(`UPDATE ${names.schedule} SET queued = 0 WHERE id = ?`, [id]);
    return nothing;
  }
  if (row['overlap'] === 'queue' && (yield* isOpen(tables, id))) return nothing;
  const fault = faultOf(row);
  // Its queue is looked at again and again: what is known is not told again.
  if (fault !== undefined) return fault === row['broken'] ? nothing : yield* breakSchedule(tables, id, fault);
  yield statement(`DELETE FROM ${names.firing} WHERE schedule_id = ? AND fire_at = ? AND manual = 0`, [id, fireTime]);
  yield statement(`UPDATE ${names.schedule} SET queued = queued - 1, broken = NULL WHERE id = ?`, [id]);
  return { ...nothing, fired: [yield* fireOnce(tables, row, fireTime, { traceId })] };
}

function* lockSchedule({ dialect, names }: QueueTables, id: number): Script<Row | undefined> {
  return (yield statement(`SELECT * FROM ${names.schedule} WHERE id = ?${dialect.lockRow}`, [id])).rows[0];
}

function* fireAll(
  tables: QueueTables,
  row: Row,
  times: readonly number[],
  traceId: string | undefined,
): Script<FireResult> {
  const id = Number(row['id']);
  const fired: FiredJob[] = [];
  const skipped: number[] = [];
  const fault = faultOf(row);
  if (fault !== undefined) return yield* breakSchedule(tables, id, fault);
  for (const fireTime of times) {
    const overlap = (yield* mustWait(tables, row)) ? row['overlap'] : 'allow';
    if (overlap === 'allow') fired.push(yield* fireOnce(tables, row, fireTime, { traceId }));
    else if (overlap === 'skip') {
      yield* recordFiring(tables, { scheduleId: id, fireTime, outcome: 'skipped' });
      skipped.push(fireTime);
    } else {
      yield* recordFiring(tables, { scheduleId: id, fireTime, outcome: 'queued' });
      yield statement(`UPDATE ${tables.names.schedule} SET queued = queued + 1 WHERE id = ?`, [id]);
    }
  }
  return { fired, skipped, broken: undefined };
}

/** A fire time must not overtake those that wait in the queue. */
function* mustWait(tables: QueueTables, row: Row): Script<boolean> {
  if (row['overlap'] === 'allow') return false;
  const id = Number(row['id']);
  if (row['overlap'] === 'queue') {
    const queue = `SELECT 1 FROM ${tables.names.firing} WHERE schedule_id = ? AND outcome = 'queued' LIMIT 1`;
    if ((yield statement(queue, [id])).rows.length > 0) return true;
  }
  return yield* isOpen(tables, id);
}

function* isOpen({ names }: QueueTables, id: number): Script<boolean> {
  const latest = `SELECT job_id FROM ${names.firing} WHERE schedule_id = ? AND outcome = 'fired' ORDER BY fire_at DESC LIMIT ${LATEST}`;
  const { rows } = yield statement(
    `SELECT 1 FROM (${latest}) f JOIN ${names.job} j ON j.id = f.job_id WHERE j.state IN ${OPEN} LIMIT 1`,
    [id],
  );
  return rows.length > 0;
}

function* fireOnce(
  tables: QueueTables,
  row: Row,
  fireTime: number,
  { manual = false, traceId }: { manual?: boolean; traceId: string | undefined },
): Script<FiredJob> {
  const job = jobOfFiring(readFired(row, traceId), fireTime, manual);
  const [enqueued] = yield* insertJobs(tables, [job]);
  if (enqueued === undefined) throw new Error('The database answered no id for an inserted job.');
  yield* recordFiring(tables, {
    scheduleId: Number(row['id']),
    fireTime,
    outcome: 'fired',
    manual,
    jobId: Number(enqueued.id),
  });
  return { fireTime, id: enqueued.id, type: job.type, isDue: 'delay' in job.due };
}

function readFired(row: Row, traceId: string | undefined): FiredSchedule {
  return {
    name: String(row['name']),
    type: String(row['type']),
    payload: optional(row['payload']) ?? 'null',
    jitter: Number(row['jitter']),
    traceId,
  };
}

interface NewFiring {
  readonly scheduleId: number;
  readonly fireTime: number;
  readonly outcome: 'fired' | 'queued' | 'skipped' | 'missed';
  readonly manual?: boolean;
  readonly jobId?: number;
}

function* recordFiring({ names }: QueueTables, firing: NewFiring): Script<void> {
  const { scheduleId, fireTime, outcome, manual = false, jobId = 0 } = firing;
  yield statement(
    `INSERT INTO ${names.firing} (schedule_id, fire_at, manual, outcome, job_id) VALUES (?, ?, ?, ?, ?)`,
    [scheduleId, fireTime, Number(manual), outcome, jobId],
  );
}

/** What plain SQL may have written and no handler could make sense of. */
function faultOf(row: Row): string | undefined {
  const type = jobTypeFault(row['type']);
  if (type !== undefined) return `type '${String(row['type'])}': ${type}`;
  try {
    JSON.parse(optional(row['payload']) ?? 'null');
    return undefined;
  } catch (error) {
    return `payload: ${(error as Error).message}`;
  }
}

function* breakSchedule({ names }: QueueTables, id: number, fault: string): Script<FireResult> {
  yield statement(`UPDATE ${names.schedule} SET broken = ? WHERE id = ?`, [fault, id]);
  return { fired: [], skipped: [], broken: fault };
}
