import type { Dialect } from '../dialects/dialect.js';

/** The names of our tables. The prefix has been checked, so that they need no quotes. */
export interface TableNames {
  readonly job: string;
  readonly attempt: string;
  readonly node: string;
  readonly schema: string;
}

export function tableNames(prefix: string): TableNames {
  return { job: `${prefix}job`, attempt: `${prefix}attempt`, node: `${prefix}node`, schema: `${prefix}schema` };
}

/** The statements of schema version 1. Released versions never change. */
export function createTables(dialect: Dialect, names: TableNames): string[] {
  return [...jobTable(dialect, names.job), attemptTable(dialect, names.attempt), nodeTable(dialect, names.node)];
}

export function createSchemaTable(dialect: Dialect, names: TableNames): string {
  return createTable(dialect, names.schema, {
    version: `${dialect.types.integer} NOT NULL PRIMARY KEY`,
    applied_at: `${dialect.types.bigint} NOT NULL DEFAULT (${dialect.now})`,
  });
}

export function dropTables(names: TableNames): string[] {
  return Object.values(names).map((table) => `DROP TABLE ${table}`);
}

/** Plain SQL is a producer: service, type and payload are enough, every other column has a default. */
function jobColumns({ types: { id, bigint, integer, name, text }, now }: Dialect): Record<string, string> {
  return {
    id,
    service: `${name(64)} NOT NULL`,
    type: `${name(128)} NOT NULL`,
    state: `${name(9)} NOT NULL DEFAULT 'waiting'`,
    priority: `${integer} NOT NULL DEFAULT 0`,
    due: `${bigint} NOT NULL DEFAULT (${now})`,
    fence: `${bigint} NOT NULL DEFAULT 0`,
    node_id: `${bigint} NULL`,
    started_at: `${bigint} NULL`,
    deadline: `${bigint} NULL`,
    retries: `${integer} NOT NULL DEFAULT 0`,
    crashes: `${integer} NOT NULL DEFAULT 0`,
    max_crashes: `${integer} NOT NULL DEFAULT 3`,
    suspect: `${integer} NOT NULL DEFAULT 0`,
    created_at: `${bigint} NOT NULL DEFAULT (${now})`,
    finished_at: `${bigint} NULL`,
    job_key: `${name(255)} NULL`,
    reference: `${name(255)} NULL`,
    trace_id: `${name(255)} NULL`,
    payload: `${text} NULL`,
    result: `${text} NULL`,
    last_error: `${text} NULL`,
  };
}

/** They keep out what no claim would ever find. */
const JOB_CHECKS = [
  "CHECK (state IN ('scheduled', 'waiting', 'running', 'succeeded', 'failed', 'cancelled'))",
  'CHECK (priority BETWEEN 0 AND 9)',
  "CHECK (type <> '' AND service <> '')",
];

function jobTable(dialect: Dialect, table: string): string[] {
  const columns = jobColumns(dialect);
  const indexes = jobIndexes(dialect, table);
  if (dialect.partialIndexes) {
    return [createTable(dialect, table, columns, JOB_CHECKS), ...indexes.map((index) => createIndex(table, index))];
  }
  // Not every database of this family can create an index only if it is missing: here they are part of the table.
  const inline = indexes.map((index) => `${index.unique ? 'UNIQUE ' : ''}INDEX ${index.name} (${index.columns})`);
  return [createTable(dialect, table, columns, [...JOB_CHECKS, ...inline])];
}

interface Index {
  readonly name: string;
  readonly columns: string;
  readonly unique?: boolean;
  /** For databases with partial indexes: the rows it covers. */
  readonly where?: string;
}

function jobIndexes(dialect: Dialect, table: string): Index[] {
  const byState: Index[] = dialect.partialIndexes
    ? [
        { name: `${table}_claim`, columns: 'service, type, priority, due, id', where: "state = 'waiting'" },
        { name: `${table}_due`, columns: 'service, due', where: "state = 'scheduled'" },
        { name: `${table}_running`, columns: 'service, node_id', where: "state = 'running'" },
      ]
    : [
        { name: `${table}_claim`, columns: 'service, state, type, priority, due, id' },
        { name: `${table}_due`, columns: 'service, state, due' },
      ];
  return [
    ...byState,
    { name: `${table}_key`, columns: 'service, type, job_key', unique: true },
    { name: `${table}_reference`, columns: 'service, reference' },
  ];
}

function createIndex(table: string, { name, columns, unique, where }: Index): string {
  return `CREATE ${unique ? 'UNIQUE ' : ''}INDEX IF NOT EXISTS ${name} ON ${table} (${columns})${where === undefined ? '' : ` WHERE ${where}`}`;
}

function attemptTable(dialect: Dialect, table: string): string {
  const { bigint, integer, name, text } = dialect.types;
  return createTable(
    dialect,
    table,
    {
      job_id: `${bigint} NOT NULL`,
      fence: `${bigint} NOT NULL`,
      attempt: `${integer} NOT NULL`,
      node: `${name(255)} NOT NULL`,
      started_at: `${bigint} NULL`,
      ended_at: `${bigint} NOT NULL`,
      outcome: `${name(16)} NOT NULL`,
      reason: `${name(16)} NULL`,
      error: `${text} NULL`,
    },
    ['PRIMARY KEY (job_id, fence)'],
  );
}

function nodeTable(dialect: Dialect, table: string): string {
  const { id, bigint, name, text } = dialect.types;
  return createTable(dialect, table, {
    id,
    service: `${name(64)} NOT NULL`,
    name: `${name(255)} NOT NULL`,
    state: `${name(9)} NOT NULL`,
    registered_at: `${bigint} NOT NULL`,
    beat_at: `${bigint} NOT NULL`,
    expires_at: `${bigint} NOT NULL`,
    types: `${text} NOT NULL`,
  });
}

function createTable(
  dialect: Dialect,
  table: string,
  columns: Record<string, string>,
  constraints: string[] = [],
): string {
  const lines = [...Object.entries(columns).map(([column, definition]) => `${column} ${definition}`), ...constraints];
  return `CREATE TABLE IF NOT EXISTS ${table} (\n  ${lines.join(',\n  ')}\n)${dialect.tableOptions}`;
}
