import type { PendingSchedule, PendingSchedules } from '../../repository/schedule-repository.js';
import type { Misfire } from '../../job/schedule.js';
import type { QueueTables } from '../queue-tables.js';
import { optionalNumber } from '../row.js';
import { statement, type Row, type Script, type Statement } from '../statement.js';

const EDITED =
  '(planned_spec <> spec OR planned_zone <> time_zone OR planned_start <> starts_at OR planned_end <> ends_at)';

/** What somebody has to do something about, whatever the time is: plan it, forget its plan, or look at its queue. */
const IS_UNSETTLED = `(enabled = 1 AND (${EDITED} OR queued > 0) OR enabled = 0 AND gone = 0 AND planned_spec <> '')`;

const FIRES = 'enabled = 1 AND next_fire > 0';

/** Milliseconds until something has to be done about a schedule, as an expression; the service is its parameter, twice. */
export function untilNextSchedule({ dialect, names }: QueueTables): string {
  const unsettled = `SELECT 1 FROM ${names.schedule} WHERE service = ? AND ${IS_UNSETTLED}`;
  const next = `SELECT MIN(next_fire) FROM ${names.schedule} WHERE service = ? AND ${FIRES}`;
  return `CASE WHEN EXISTS (${unsettled}) THEN 0 ELSE (${next}) - ${dialect.now} END`;
}

export function* pendingSchedules(tables: QueueTables, limit: number): Script<PendingSchedules> {
  const { dialect, names, service } = tables;
  const { rows } = yield statement(
    `SELECT s.*, CASE WHEN ${EDITED} THEN 1 ELSE 0 END AS edited FROM ${names.schedule} s ` +
      `WHERE service = ? AND (${IS_UNSETTLED} OR ${FIRES} AND next_fire <= ${dialect.now}) ORDER BY CASE WHEN queued > 0 THEN 1 ELSE 0 END, next_fire LIMIT ?`,
    [service, limit],
  );
  const clock = yield statement(
    `SELECT ${dialect.now} AS now, (SELECT MIN(next_fire) FROM ${names.schedule} WHERE service = ? AND ${FIRES}) AS next`,
    [service],
  );
  const now = Number(clock.rows[0]?.['now']);
  const next = optionalNumber(clock.rows[0]?.['next']);
  return { schedules: rows.map(readPending), now, nextIn: next === undefined ? undefined : next - now };
}

function readPending(row: Row): PendingSchedule {
  return {
    id: Number(row['id']),
    name: String(row['name']),
    type: String(row['type']),
    spec: String(row['spec']),
    timeZone: String(row['time_zone']),
    startsAt: Number(row['starts_at']),
    endsAt: Number(row['ends_at']),
    enabled: Number(row['enabled']) === 1,
    misfire: row['misfire'] as Misfire,
    misfireLimit: Number(row['misfire_limit']),
    nextFire: Number(row['next_fire']),
    lastFire: Number(row['last_fire']),
    edited: Number(row['edited']) === 1,
    queued: Number(row['queued']),
  };
}

/** Nothing when another node has planned it, or when it has been edited again. `next` 0: it never fires (again). */
export function planSchedule(
  { dialect, names }: QueueTables,
  { id, spec, timeZone, startsAt, endsAt }: PendingSchedule,
  { next, broken }: { next: number; broken: string | undefined },
): Statement {
  const plan =
    'planned_spec = spec, planned_zone = time_zone, planned_start = starts_at, planned_end = ends_at, next_fire = ?, broken = ?';
  return statement(
    `UPDATE ${names.schedule} SET ${plan}, planned_at = ${dialect.now} ` +
      `WHERE id = ? AND spec = ? AND time_zone = ? AND starts_at = ? AND ends_at = ? AND ${EDITED}`,
    [next, broken ?? null, id, spec, timeZone, startsAt, endsAt],
  );
}

export function unplanSchedule({ names }: QueueTables, { id }: PendingSchedule): Statement {
  return statement(
    `UPDATE ${names.schedule} SET planned_spec = '', next_fire = 0, late = 0 ` +
      "WHERE id = ? AND enabled = 0 AND gone = 0 AND planned_spec <> ''",
    [id],
  );
}
