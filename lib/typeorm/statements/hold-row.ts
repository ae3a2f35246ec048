import type { Dialect } from '../dialects/dialect.js';
import { statement, type Parameter, type Script } from '../statement.js';

export interface HeldRow {
  readonly table: string;
  /** It is its one row, and still as it must be. */
  readonly where: string;
  readonly parameters: readonly Parameter[];
  /** How a column is changed that may be so: see `locksAreLocal`. */
  readonly flip: string;
}

/** Makes sure that a row stays as it is until this transaction has been committed; `false` if it is not as it must be. */
export function* holdRow(dialect: Dialect, { table, where, parameters, flip }: HeldRow): Script<boolean> {
  if (dialect.locksAreLocal) yield statement(`UPDATE ${table} SET ${flip} WHERE ${where}`, parameters);
  const { rows } = yield statement(`SELECT 1 AS held FROM ${table} WHERE ${where}${dialect.lockRow}`, parameters);
  return rows.length > 0;
}

/** A time that is not decided by: it goes forth and back by a millisecond. */
export function flipped(column: string): string {
  return `${column} = ${column} ^ 1`;
}
