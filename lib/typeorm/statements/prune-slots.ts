import type { QueueTables } from '../queue-tables.js';
import { statement, type Parameter, type Script } from '../statement.js';
import { valuesOf } from './prune.js';
import { holderState } from './slots.js';

/** Keys come and go: those that nobody has used for so long have no rows, until they come again. */
export const UNUSED = 3_600_000;

/** Deletes free slots of keys that have not been taken lately. */
export function* pruneSlots({ dialect, names, service }: QueueTables, limit: number): Script<number> {
  const { rows } = yield statement(
    `SELECT j.type, j.slot_key, j.n FROM ${names.slot} j WHERE j.service = ? AND j.kind = 'key' ` +
      `AND j.taken_at < ${dialect.now} - ${UNUSED} AND COALESCE((${holderState(names)}), '') <> 'running' LIMIT ?${dialect.skipLocked}`,
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
