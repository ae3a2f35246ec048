import type { QueueTables } from '../queue-tables.js';
import { statement, type Parameter, type Row, type Script } from '../statement.js';

const ROW_KEY = ['operation', 'row_id'] as const;
const ATTEMPT_KEY = [...ROW_KEY, 'fence', 'turn'] as const;

/** Deletes a batch of attempts of the application's rows that ended longer than `keep` milliseconds ago. */
export function* pruneRowHistory(tables: QueueTables, limit: number, keep: number): Script<number> {
  const { dialect, names, service } = tables;
  const { rows } = yield statement(
    `SELECT ${ATTEMPT_KEY.join(', ')} FROM ${names.operationAttempt}${dialect.forceIndex(`${names.operationAttempt}_end`)} ` +
      `WHERE service = ? AND ended_at <= ${dialect.now} - ? ORDER BY ended_at LIMIT ?${dialect.skipLocked}`,
    [service, keep, limit],
  );
  return yield* deleteByKey(tables, names.operationAttempt, ATTEMPT_KEY, rows);
}

/** Rows that are due, and that nobody has loaded for as long: they have been deleted, or ended by somebody else. */
export function* pruneForgottenRows(tables: QueueTables, limit: number, keep: number): Script<number> {
  const { dialect, names, service } = tables;
  const { rows } = yield statement(
    `SELECT ${ROW_KEY.join(', ')} FROM ${names.operationRow}${dialect.forceIndex(`${names.operationRow}_update`)} ` +
      `WHERE service = ? AND updated_at <= ${dialect.now} - ? AND started_at = 0 AND due <= ${dialect.now} ` +
      `ORDER BY updated_at LIMIT ?${dialect.skipLocked}`,
    [service, keep, limit],
  );
  return yield* deleteByKey(tables, names.operationRow, ROW_KEY, rows);
}

function* deleteByKey(
  { dialect, service }: QueueTables,
  table: string,
  key: readonly string[],
  rows: readonly Row[],
): Script<number> {
  if (rows.length === 0) return 0;
  const marks = rows.map(() => `(${key.map(() => '?').join(', ')})`).join(', ');
  const values = rows.flatMap((row) => key.map((column) => row[column] as Parameter));
  // SQLite compares row values with a table, not with a list.
  const listed = dialect.name === 'sqlite' ? `VALUES ${marks}` : marks;
  yield statement(`DELETE FROM ${table} WHERE service = ? AND (${key.join(', ')}) IN (${listed})`, [
    service,
    ...values,
  ]);
  return rows.length;
}
