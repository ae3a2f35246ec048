import type { EntityManager } from 'typeorm';
import { InvalidOptionError } from '../../errors/invalid-option.error.js';
import { detectDialect } from '../detect-dialect.js';
import { readCatalog, type TableFacts } from './own-table-catalog.js';
import type { OwnTableMapping } from './own-table-mapping.js';
import { isWholeNumber, OwnTable } from './own-table.js';

const OWNER = 'tableOperation()';

export interface FoundTable {
  readonly table: OwnTable;
  /** The statement that makes an index to load by, where there is none. */
  readonly missingIndex: string | undefined;
}

/** Looks the table and its columns up. Throws `InvalidOptionError`, naming the option, for what is not there or cannot be used. */
export async function findOwnTable(manager: EntityManager, mapping: OwnTableMapping): Promise<FoundTable> {
  const dialect = await detectDialect(manager.connection.options, manager);
  const facts = await readCatalog(manager, dialect, mapping.table);
  checkKind(mapping, facts);
  checkColumns(mapping, facts);
  return { table: new OwnTable(dialect, mapping, facts), missingIndex: missingIndex(mapping, facts) };
}

function checkKind({ table }: OwnTableMapping, { kind }: TableFacts): void {
  if (kind === 'table') return;
  const cure =
    kind === 'view'
      ? 'It is a view: name the table behind it, because the ends of jobs are written to it.'
      : 'The database has no such table, in the schema that the application is connected to. Create it, or correct the name.';
  throw new InvalidOptionError(`${OWNER}.table`, table, cure);
}

function checkColumns({ table, columns }: OwnTableMapping, facts: TableFacts): void {
  for (const [role, column] of Object.entries(columns)) {
    if (column === undefined || facts.columns.has(column)) continue;
    const cure = `Table '${table}' has no such column. It has ${[...facts.columns.keys()].join(', ')}.`;
    throw new InvalidOptionError(`${OWNER}.columns.${role}`, column, cure);
  }
  if (!facts.indexes.some((index) => index.unique && index.columns.length === 1 && index.columns[0] === columns.id)) {
    const cure = 'Name the primary key, or a column with a unique index: two rows with one id would be taken for one.';
    throw new InvalidOptionError(`${OWNER}.columns.id`, columns.id, cure);
  }
  for (const role of ['due', 'updated', 'attempts'] as const) {
    const column = columns[role];
    const type = column === undefined ? undefined : facts.columns.get(column);
    if (type === undefined || isWholeNumber(type)) continue;
    const cure = `It is of type ${type}: name a column of whole numbers, or extend Operation instead.`;
    throw new InvalidOptionError(`${OWNER}.columns.${role}`, column, cure);
  }
}

/** Those that are compared for equality come first, in any order. */
function missingIndex({ table, columns }: OwnTableMapping, { indexes }: TableFacts): string | undefined {
  const equal = [columns.status, columns.type].filter((column) => column !== undefined);
  const wanted = columns.due === undefined ? equal : [...equal, columns.due];
  const serves = indexes.some(
    (index) =>
      equal.every((column) => index.columns.slice(0, equal.length).includes(column)) &&
      (columns.due === undefined || index.columns[equal.length] === columns.due),
  );
  return serves ? undefined : `CREATE INDEX ${table}_due ON ${table} (${wanted.join(', ')})`;
}
