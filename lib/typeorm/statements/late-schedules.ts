import type { Lateness } from '../../repository/schedule-repository.js';
import type { QueueTables } from '../queue-tables.js';
import { statement, type Row, type Script, type Statement } from '../statement.js';

/** Successes are looked for among the jobs of the latest firings. */
const LATEST = 100;

/**
 * Schedules that have become late, or are no longer: who writes it down tells it. One counts from its last success, or from when it
 * was planned first. Jobs of an earlier plan do not make it late.
 */
export function* lateSchedules(tables: QueueTables): Script<Lateness[]> {
  const changed: Lateness[] = [];
  for (const row of (yield watched(tables)).rows) {
    const seen = yield* look(tables, row);
    if (seen === undefined || !(yield* writeDown(tables, row, seen))) continue;
    changed.push({ name: String(row['name']), late: seen.late, since: sinceWhen(row, seen.succeededAt) });
  }
  return changed;
}

/** Those that are late at this moment, whoever has been told: nothing is written down. */
export function* schedulesLateNow(tables: QueueTables): Script<Lateness[]> {
  const late: Lateness[] = [];
  for (const row of (yield watched(tables)).rows) {
    const seen = yield* look(tables, row);
    if (seen?.late) late.push({ name: String(row['name']), late: true, since: sinceWhen(row, seen.succeededAt) });
  }
  return late;
}

function watched({ dialect, names, service }: QueueTables): Statement {
  return statement(
    `SELECT id, name, alert_after, planned_at, succeeded_at, late, ${dialect.now} AS now FROM ${names.schedule} ` +
      "WHERE service = ? AND enabled = 1 AND alert_after > 0 AND planned_spec <> ''",
    [service],
  );
}

/**
 * Writes down the last successes of schedules that make jobs of these types, as far as they are watched: before history is deleted by
 * hand, from which a schedule whose jobs have all succeeded would look like one of which none has.
 */
export function* keepLastSuccesses({ names, service }: QueueTables, types: readonly string[]): Script<void> {
  const { rows } = yield statement(
    `SELECT id, succeeded_at FROM ${names.schedule} WHERE service = ? AND alert_after > 0 AND type IN (${types.map(() => '?').join(', ')})`,
    [service, ...types],
  );
  for (const row of rows) {
    const id = Number(row['id']);
    const succeededAt = yield* lastSuccess({ names }, id);
    if (succeededAt <= Number(row['succeeded_at'])) continue;
    const later = `UPDATE ${names.schedule} SET succeeded_at = ? WHERE id = ? AND succeeded_at < ?`;
    yield statement(later, [succeededAt, id, succeededAt]);
  }
}

interface Seen {
  readonly succeededAt: number;
  readonly late: boolean;
}

/** `undefined`: on time, as it was. What is known is enough for most: thousands of schedules are not looked up every time. */
function* look(tables: QueueTables, row: Row): Script<Seen | undefined> {
  const known = Number(row['succeeded_at']);
  if (Number(row['late']) === 0 && !isLate(row, known)) return undefined;
  const succeededAt = Math.max(known, yield* lastSuccess(tables, Number(row['id'])));
  return { succeededAt, late: isLate(row, succeededAt) };
}

/** Answers whether it has become late by that, or is no longer: to one node of all that see it. */
function* writeDown({ names }: QueueTables, row: Row, { succeededAt, late }: Seen): Script<boolean> {
  const [knownAt, wasLate] = [Number(row['succeeded_at']), Number(row['late']) === 1];
  if (succeededAt === knownAt && late === wasLate) return false;
  const { affected } = yield statement(
    `UPDATE ${names.schedule} SET succeeded_at = ?, late = ? WHERE id = ? AND succeeded_at = ? AND late = ?`,
    [succeededAt, Number(late), Number(row['id']), knownAt, Number(wasLate)],
  );
  return affected > 0 && late !== wasLate;
}

function isLate(row: Row, succeededAt: number): boolean {
  return Number(row['now']) - sinceWhen(row, succeededAt) > Number(row['alert_after']);
}

function sinceWhen(row: Row, succeededAt: number): number {
  return Math.max(succeededAt, Number(row['planned_at']));
}

/** From the history, which outlives jobs that are deleted with their end. */
function* lastSuccess({ names }: Pick<QueueTables, 'names'>, id: number): Script<number> {
  const latest = `SELECT job_id FROM ${names.firing} WHERE schedule_id = ? AND outcome = 'fired' ORDER BY fire_at DESC LIMIT ${LATEST}`;
  const { rows } = yield statement(
    `SELECT MAX(a.ended_at) AS ended FROM (${latest}) f JOIN ${names.attempt} a ON a.job_id = f.job_id WHERE a.outcome = 'succeeded'`,
    [id],
  );
  return Number(rows[0]?.['ended'] ?? 0);
}
