import type { Lateness } from '../../repository/schedule-repository.js';
import type { QueueTables } from '../queue-tables.js';
import { statement, type Row, type Script } from '../statement.js';

/** Successes are looked for among the jobs of the latest firings. */
const LATEST = 100;

/**
 * Schedules that have become late, or are no longer: who writes it down tells it. One counts from its last success, or from when it
 * was planned first. Jobs of an earlier plan do not make it late.
 */
export function* lateSchedules(tables: QueueTables): Script<Lateness[]> {
  const { dialect, names, service } = tables;
  const { rows } = yield statement(
    `SELECT id, name, alert_after, planned_at, succeeded_at, late, ${dialect.now} AS now FROM ${names.schedule} ` +
      "WHERE service = ? AND enabled = 1 AND alert_after > 0 AND planned_spec <> ''",
    [service],
  );
  const changed: Lateness[] = [];
  for (const row of rows) {
    const lateness = yield* look(tables, row);
    if (lateness !== undefined) changed.push(lateness);
  }
  return changed;
}

function* look(tables: QueueTables, row: Row): Script<Lateness | undefined> {
  const { names } = tables;
  const id = Number(row['id']);
  const wasLate = Number(row['late']) === 1;
  // What is known is enough for most: thousands of schedules are not looked up every time.
  if (!wasLate && !isLate(row, Number(row['succeeded_at']))) return undefined;
  const succeededAt = Math.max(Number(row['succeeded_at']), yield* lastSuccess(tables, id));
  const since = sinceWhen(row, succeededAt);
  const late = isLate(row, succeededAt);
  if (succeededAt === Number(row['succeeded_at']) && late === wasLate) return undefined;
  const { affected } = yield statement(
    `UPDATE ${names.schedule} SET succeeded_at = ?, late = ? WHERE id = ? AND succeeded_at = ? AND late = ?`,
    [succeededAt, Number(late), id, Number(row['succeeded_at']), Number(wasLate)],
  );
  return affected > 0 && late !== wasLate ? { name: String(row['name']), late, since } : undefined;
}

function isLate(row: Row, succeededAt: number): boolean {
  return Number(row['now']) - sinceWhen(row, succeededAt) > Number(row['alert_after']);
}

function sinceWhen(row: Row, succeededAt: number): number {
  return Math.max(succeededAt, Number(row['planned_at']));
}

/** From the history, which outlives jobs that are deleted with their end. */
function* lastSuccess({ names }: QueueTables, id: number): Script<number> {
  const latest = `SELECT job_id FROM ${names.firing} WHERE schedule_id = ? AND outcome = 'fired' ORDER BY fire_at DESC LIMIT ${LATEST}`;
  const { rows } = yield statement(
    `SELECT MAX(a.ended_at) AS ended FROM (${latest}) f JOIN ${names.attempt} a ON a.job_id = f.job_id WHERE a.outcome = 'succeeded'`,
    [id],
  );
  return Number(rows[0]?.['ended'] ?? 0);
}
