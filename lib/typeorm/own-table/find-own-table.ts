import type { EntityManager } from 'typeorm';
import { InvalidOptionError } from '../../errors/invalid-option.error.js';
import { detectDialect } from '../detect-dialect.js';
import { readCatalog, type ColumnFacts, type TableFacts } from './own-table-catalog.js';
import type { OwnTableMapping } from './own-table-mapping.js';
import { OwnTable } from './own-table.js';

const OWNER = 'tableOperation()';

export interface FoundTable {
  readonly table: OwnTable;
  /** The statement that makes an index to load by, where there is none. */
  readonly missingIndex: string | undefined;
}

/** Looks the table and its columns up. Throws `InvalidOptionError`, naming the option, for what is not there or cannot be used. */
export async function findOwnTable(
  manager: EntityManager,
  mapping: OwnTableMapping,
  type: string | number,
): Promise<FoundTable> {
  const dialect = await detectDialect(manager.connection.options, manager);
  const facts = await readCatalog(manager, dialect, mapping.table);
  checkKind(mapping, facts);
  checkColumns(mapping, facts);
  checkValues(mapping, type, facts);
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
  for (const role of ['due', 'updated', 'attempts'] as const) checkKindOf(role, ['whole'], columns[role], facts);
  checkKindOf('id', ['whole', 'text', 'uuid'], columns.id, facts);
  for (const role of ['status', 'type'] as const) checkKindOf(role, ['whole', 'text'], columns[role], facts);
  checkKindOf('error', ['text'], columns.error, facts);
}

const KINDS = { whole: 'whole numbers', text: 'text', uuid: 'UUIDs', json: 'JSON', other: '' };

function checkKindOf(
  role: keyof OwnTableMapping['columns'],
  kinds: readonly ColumnFacts['kind'][],
  column: string | undefined,
  facts: TableFacts,
): void {
  const found = column === undefined ? undefined : facts.columns.get(column);
  if (found === undefined || kinds.includes(found.kind)) return;
  const wanted = kinds.map((kind) => KINDS[kind]).join(' or ');
  const cure = `It is of type ${found.type}: name a column of ${wanted}, or extend Operation instead.`;
  throw new InvalidOptionError(`${OWNER}.columns.${role}`, column, cure);
}

function checkValues({ columns, ...mapping }: OwnTableMapping, type: string | number, facts: TableFacts): void {
  for (const status of mapping.waiting) checkValue('statuses.waiting', status, columns.status, facts);
  checkValue('statuses.succeeded', mapping.succeeded, columns.status, facts);
  checkValue('statuses.failed', mapping.failed, columns.status, facts);
  if (columns.type !== undefined) checkValue('type', String(type), columns.type, facts);
}

/** MySQL would take any text for 0, and find rows that are none of ours. */
function checkValue(option: string, value: string | number | null, column: string, facts: TableFacts): void {
  if (value === null) return;
  const isWhole = facts.columns.get(column)?.kind === 'whole';
  if (isWhole ? /^-?\d+$/.test(String(value)) : typeof value === 'string') return;
  const cure = `Column '${column}' is of type ${facts.columns.get(column)?.type}: give ${isWhole ? 'a whole number' : 'a string'}.`;
  throw new InvalidOptionError(`${OWNER}.${option}`, value, cure);
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
