import type { Firing, Misfire, NewSchedule, Overlap, Schedule } from '../../job/schedule.js';
import type { JobState } from '../../job/job-state.js';
import type { QueueTables } from '../queue-tables.js';
import { optional, optionalDate, optionalMoment, parseJson } from '../row.js';
import { statement, type Parameter, type Row, type Script, type Statement } from '../statement.js';

/** Stores a schedule in place of the one with its name. What code has left behind is then nobody's but the caller's. */
export function* saveSchedule(tables: QueueTables, schedule: NewSchedule, declared?: string): Script<void> {
  const columns = columnsOf(schedule, declared);
  yield statement(
    `UPDATE ${tables.names.schedule} SET enabled = 1, gone = 0, declared = NULL WHERE service = ? AND name = ? AND gone = 1`,
    [tables.service, schedule.name],
  );
  const { affected } = yield updateSchedule(tables, schedule.name, columns);
  if (affected > 0) return;
  const { dialect, names, service } = tables;
  const entries = Object.entries({ service, name: schedule.name, ...columns });
  yield statement(
    `INSERT INTO ${names.schedule} (${entries.map(([column]) => column).join(', ')}) ` +
      `VALUES (${entries.map(() => '?').join(', ')}) ${dialect.skipDuplicates('name')}`,
    entries.map(([, value]) => value),
  );
  // Somebody else may have stored one with this name meanwhile.
  yield updateSchedule(tables, schedule.name, columns);
}

export function updateSchedule(
  { names, service }: QueueTables,
  name: string,
  columns: Readonly<Record<string, Parameter>>,
): Statement {
  const entries = Object.entries(columns);
  return statement(
    `UPDATE ${names.schedule} SET ${entries.map(([column]) => `${column} = ?`).join(', ')} WHERE service = ? AND name = ?`,
    [...entries.map(([, value]) => value), service, name],
  );
}

/** Whoever is enabled again has no plan, also when no node has seen that it was disabled: what came in between is not missed. */
export function enableSchedule({ names, service }: QueueTables, name: string, enabled: boolean): Statement {
  // Before `enabled` itself: MySQL assigns from left to right, and reads what it has assigned.
  const replan = enabled ? "planned_spec = CASE WHEN enabled = 0 THEN '' ELSE planned_spec END, " : '';
  return statement(`UPDATE ${names.schedule} SET ${replan}enabled = ?, gone = 0 WHERE service = ? AND name = ?`, [
    Number(enabled),
    service,
    name,
  ]);
}

/** All that describes a schedule, and nothing of its plan. What was broken is found out anew. */
function columnsOf(schedule: NewSchedule, declared: string | undefined): Record<string, Parameter> {
  return {
    spec: schedule.spec,
    time_zone: schedule.timeZone,
    type: schedule.type,
    payload: schedule.payload,
    ...(schedule.enabled === undefined ? {} : { enabled: Number(schedule.enabled) }),
    misfire: schedule.misfire,
    misfire_limit: schedule.misfireLimit,
    overlap: schedule.overlap,
    jitter: schedule.jitter,
    starts_at: schedule.startsAt,
    ends_at: schedule.endsAt,
    alert_after: schedule.alertAfter,
    description: schedule.description ?? null,
    extra: schedule.extra ?? null,
    // Stored by the service, it is an edit: without the old declaration the next start would take it for a new one and undo the edit.
    ...(declared === undefined ? {} : { declared }),
    broken: null,
  };
}

export function* removeSchedule({ dialect, names, service }: QueueTables, name: string): Script<boolean> {
  // Locked: a node that fires it at this moment would leave its firing behind.
  const found = yield statement(`SELECT id FROM ${names.schedule} WHERE service = ? AND name = ?${dialect.lockRow}`, [
    service,
    name,
  ]);
  if (found.rows[0] === undefined) return false;
  const id = Number(found.rows[0]['id']);
  yield statement(`DELETE FROM ${names.firing} WHERE schedule_id = ?`, [id]);
  yield statement(`DELETE FROM ${names.schedule} WHERE id = ?`, [id]);
  return true;
}

export function selectSchedules({ names, service }: QueueTables): Statement {
  return statement(`SELECT * FROM ${names.schedule} WHERE service = ? ORDER BY name`, [service]);
}

export function selectSchedule({ names, service }: QueueTables, name: string): Statement {
  return statement(`SELECT * FROM ${names.schedule} WHERE service = ? AND name = ?`, [service, name]);
}

export function selectFirings({ names, service }: QueueTables, name: string, limit: number): Statement {
  return statement(
    `SELECT f.fire_at, f.manual, f.outcome, f.job_id, j.state FROM ${names.schedule} s ` +
      `JOIN ${names.firing} f ON f.schedule_id = s.id LEFT JOIN ${names.job} j ON j.id = f.job_id ` +
      'WHERE s.service = ? AND s.name = ? ORDER BY f.fire_at DESC, f.manual DESC LIMIT ?',
    [service, name, limit],
  );
}

export function readSchedule(row: Row): Schedule {
  return {
    name: String(row['name']),
    spec: String(row['spec']),
    timeZone: String(row['time_zone']),
    type: String(row['type']),
    payload: parseJson(row['payload']),
    enabled: Number(row['enabled']) === 1,
    misfire: row['misfire'] as Misfire,
    misfireLimit: Number(row['misfire_limit']),
    overlap: row['overlap'] as Overlap,
    jitter: Number(row['jitter']),
    from: optionalDate(optionalMoment(row['starts_at'])),
    until: optionalDate(optionalMoment(row['ends_at'])),
    alertAfter: optionalMoment(row['alert_after']),
    description: optional(row['description']),
    extra: parseJson(row['extra']),
    declared: optional(row['declared']) !== undefined,
    gone: Number(row['gone']) === 1,
    nextFireAt: optionalDate(optionalMoment(row['next_fire'])),
    lastFireAt: optionalDate(optionalMoment(row['last_fire'])),
    broken: optional(row['broken']),
  };
}

export function readFiring(row: Row): Firing {
  return {
    fireTime: new Date(Number(row['fire_at'])),
    outcome: row['outcome'] as Firing['outcome'],
    manual: Number(row['manual']) === 1,
    jobId: Number(row['job_id']) === 0 ? undefined : String(row['job_id']),
    jobState: optional(row['state']) as JobState | undefined,
  };
}
