import type { NewSchedule } from '../../job/schedule.js';
import type { QueueTables } from '../queue-tables.js';
import { parseJson } from '../row.js';
import { statement, type Row, type Script } from '../statement.js';
import { saveSchedule, updateSchedule } from './schedules.js';

/**
 * Stores declarations that have changed. One that is declared by nobody any more is disabled; but another node that is alive may
 * declare it, an older version in a deployment for example: then its type is among those that the node handles.
 */
export function* declareSchedules(tables: QueueTables, schedules: readonly NewSchedule[]): Script<string[]> {
  const { dialect, names, service } = tables;
  // Locked, and before the nodes are read: of two that start at once, one sees the other's node, or the other sees what it has disabled.
  const known = yield statement(
    `SELECT name, type, declared, gone, enabled FROM ${names.schedule} WHERE service = ? AND declared IS NOT NULL ORDER BY name${dialect.lockRow}`,
    [service],
  );
  const byName = new Map(known.rows.map((row) => [String(row['name']), row]));
  for (const schedule of schedules) {
    yield* declare(tables, schedule, byName.get(schedule.name));
    byName.delete(schedule.name);
  }
  // What somebody has disabled stays as it is: coming back, it would be enabled.
  const others = [...byName.values()].filter((row) => Number(row['enabled']) === 1 && Number(row['gone']) === 0);
  return others.length === 0 ? [] : yield* retire(tables, others);
}

function* declare(tables: QueueTables, schedule: NewSchedule, known: Row | undefined): Script<void> {
  const declaration = JSON.stringify(schedule);
  const wasGone = Number(known?.['gone'] ?? 0) === 1;
  if (known?.['declared'] !== declaration) yield* saveSchedule(tables, schedule, declaration);
  if (wasGone) yield updateSchedule(tables, schedule.name, { enabled: 1, gone: 0 });
}

function* retire(tables: QueueTables, candidates: readonly Row[]): Script<string[]> {
  const { names, service } = tables;
  const nodes = yield statement(`SELECT types FROM ${names.node} WHERE service = ? AND state = 'alive'`, [service]);
  const handled = new Set(nodes.rows.flatMap((row) => parseJson(row['types']) as string[]));
  const gone = candidates.filter((row) => !handled.has(String(row['type']))).map((row) => String(row['name']));
  for (const name of gone) yield updateSchedule(tables, name, { enabled: 0, gone: 1 });
  return gone;
}
