import type { QueueTables } from '../queue-tables.js';
import { selectVersion } from '../schema/schema.js';
import type { Script } from '../statement.js';
import { readMysqlTables } from './mysql-tables.js';
import { readPostgresTables } from './postgres-tables.js';
import { readSqliteTables } from './sqlite-tables.js';
import type { TableFacts } from './table-facts.js';

/** Our tables as the database has them; those that are missing are left out. */
export function readTables(tables: QueueTables): Script<TableFacts[]> {
  switch (tables.dialect.name) {
    case 'postgres':
      return readPostgresTables(tables);
    case 'sqlite':
      return readSqliteTables(tables);
    default:
      return readMysqlTables(tables);
  }
}

/** Of the tables; 0 where no row says it. Fails where there is none. */
export function* readVersion({ names }: QueueTables): Script<number> {
  const { rows } = yield selectVersion(names);
  return Number(rows[0]?.['version']);
}
