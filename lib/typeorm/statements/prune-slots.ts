import type { QueueTables } from '../queue-tables.js';
import { statement, type Parameter, type Script } from '../statement.js';
import { valuesOf } from './prune.js';

/** Keys come and go: those that nobody has used for so long have no rows, until they come again. */
const UNUSED = 3_600_000;

/** Deletes free slots of keys that have not been taken lately. */
export function* pruneSlots({ dialect, names, service }: QueueTables, limit: number): Script<number> {
  const holder = `SELECT 1 FROM ${names.job} j WHERE j.id = s.job_id AND j.fence = s.fence AND j.state = 'running'`;
  const { rows } = yield statement(
    `SELECT s.type, s.slot_key, s.n FROM ${names.slot} s WHERE s.service = ? AND s.kind = 'key' ` +
      `AND s.taken_at < ${dialect.now} - ${UNUSED} AND NOT EXISTS (${holder}) LIMIT ?${dialect.skipLocked}`,
    [service, limit],
  );
  if (rows.length === 0) return 0;
  const found = rows.flatMap((row): Parameter[] => [String(row['type']), String(row['slot_key']), Number(row['n'])]);
  const tuples = rows.map(() => '(?, ?, ?)').join(', ');
  const { affected } = yield statement(
    `DELETE FROM ${names.slot} WHERE service = ? AND kind = 'key' AND taken_at < ${dialect.now} - ${UNUSED} ` +
      `AND (type, slot_key, n) IN (${valuesOf(dialect.name, tuples)})`,
    [service, ...found],
  );
  return affected;
}
