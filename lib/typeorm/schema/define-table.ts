import type { Dialect } from '../dialects/dialect.js';

export interface Table {
  readonly name: string;
  /** Column → definition. */
  readonly columns: Readonly<Record<string, string>>;
  readonly constraints?: readonly string[];
  readonly indexes?: readonly Index[];
}

export interface Index {
  readonly name: string;
  readonly columns: string;
  readonly unique?: boolean;
  /** For databases with partial indexes: the rows it covers. */
  readonly where?: string;
}

/** Statements that do nothing where the table is there already. */
export function createTable(dialect: Dialect, { name, columns, constraints = [], indexes = [] }: Table): string[] {
  // Not every database of the MySQL family can create an index only if it is missing: there they are part of the table.
  const inline = dialect.partialIndexes
    ? []
    : indexes.map((index) => `${kind(index)} ${index.name} (${index.columns})`);
  const lines = [...Object.entries(columns).map(([column, type]) => `${column} ${type}`), ...constraints, ...inline];
  const create = `CREATE TABLE IF NOT EXISTS ${name} (\n  ${lines.join(',\n  ')}\n)${dialect.tableOptions}`;
  return dialect.partialIndexes ? [create, ...indexes.map((index) => createIndex(name, index))] : [create];
}

function createIndex(table: string, index: Index): string {
  const where = index.where === undefined ? '' : ` WHERE ${index.where}`;
  return `CREATE ${kind(index)} IF NOT EXISTS ${index.name} ON ${table} (${index.columns})${where}`;
}

function kind({ unique = false }: Index): string {
  return unique ? 'UNIQUE INDEX' : 'INDEX';
}
