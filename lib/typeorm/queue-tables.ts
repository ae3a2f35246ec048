import type { Dialect } from './dialects/dialect.js';
import { tableNames, type TableNames } from './schema/tables.js';

/** What every statement needs to know: which dialect, which tables, whose jobs. */
export interface QueueTables {
  readonly dialect: Dialect;
  readonly names: TableNames;
  readonly service: string;
}

export function queueTables(dialect: Dialect, prefix: string, service: string): QueueTables {
  return { dialect, names: tableNames(prefix), service };
}
