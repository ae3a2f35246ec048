import { SchemaError } from '../../errors/schema.error.js';
import type { Database } from '../database.js';
import type { Dialect } from '../dialects/dialect.js';
import { statement, type Script, type Statement } from '../statement.js';
import { createTables, dropTables, tableNames, type TableNames } from './tables.js';

/** The version of the tables that this code reads and writes. */
export const SCHEMA_VERSION = 1;

/** Throws `SchemaError` when the tables are missing, older or newer. */
export async function checkSchema(database: Database, prefix: string): Promise<void> {
  const found = await readVersion(database, prefix);
  if (found !== SCHEMA_VERSION) throw new SchemaError(found, SCHEMA_VERSION, prefix);
}

/** Creates or upgrades the tables; answers the version that they had. Several processes may do so at once. */
export async function synchronizeSchema(database: Database, prefix: string): Promise<number> {
  const found = await readVersion(database, prefix);
  if (found > SCHEMA_VERSION) throw new SchemaError(found, SCHEMA_VERSION, prefix);
  if (found < SCHEMA_VERSION) await database.transaction(() => installSchema(database.dialect, prefix));
  return found;
}

/** The same as a list of statements, for whoever runs them by hand: they do nothing where the tables are there already. */
export function schemaStatements(dialect: Dialect, prefix: string): string[] {
  const names = tableNames(prefix);
  return [...createTables(dialect, names), insertVersion(dialect, names)];
}

/** Another one may have installed them: the lock below is not known to the other members of a cluster. */
function insertVersion(dialect: Dialect, { schema }: TableNames): string {
  return `INSERT INTO ${schema} (version) VALUES (${SCHEMA_VERSION}) ${dialect.skipDuplicates('version')}`;
}

export function* installSchema(dialect: Dialect, prefix: string): Script<void> {
  const names = tableNames(prefix);
  for (const sql of dialect.lockSchema) yield statement(sql);
  try {
    for (const sql of createTables(dialect, names)) yield statement(sql);
    yield statement(insertVersion(dialect, names));
  } finally {
    for (const sql of dialect.unlockSchema) yield statement(sql);
  }
}

export function* uninstallSchema(prefix: string): Script<void> {
  for (const sql of dropTables(tableNames(prefix))) yield statement(sql);
}

/** Fails where the table is missing. */
export function selectVersion({ schema }: TableNames): Statement {
  return statement(`SELECT COALESCE(MAX(version), 0) AS version FROM ${schema}`);
}

/** 0: there are no tables. */
export async function readVersion(database: Database, prefix: string): Promise<number> {
  try {
    const { rows } = await database.query(selectVersion(tableNames(prefix)));
    return Number(rows[0]?.['version']);
  } catch (error) {
    if (database.dialect.isMissingTable(error)) return 0;
    throw error;
  }
}
