import { messageOf } from '../../support/message-of.js';
import type { Database } from '../database.js';
import { statement } from '../statement.js';
import { selectVersion } from './schema.js';
import { tableNames } from './tables.js';

export interface TableSize {
  readonly table: string;
  /** At most `MOST_ROWS`. */
  readonly rows: number;
  readonly hasMore: boolean;
}

export interface LivingNode {
  readonly service: string;
  readonly name: string;
}

/** More are not counted: a hundred million would take minutes, and tell a person no more than that there are many. */
const MOST_ROWS = 1_000_000;

/** Those of our names that are tables, whoever has made them. */
export async function tablesThere(database: Database, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for (const table of Object.values(tableNames(prefix)))
    if ((await readRows(database, `SELECT 1 AS n FROM ${table} LIMIT 1`)) !== undefined) found.push(table);
  return found;
}

/**
 * Why tables with our names are not ours: an application may well have a log or a schedule with the same prefix. Ours are never without
 * the table that tells their version: it is made first and dropped last, also where each statement is a transaction.
 */
export async function whyNotOurs(database: Database, prefix: string): Promise<string | undefined> {
  const { schema } = tableNames(prefix);
  try {
    await database.query(selectVersion(tableNames(prefix)));
    return undefined;
  } catch (error) {
    return database.dialect.isMissingTable(error)
      ? `there is no ${schema} beside them`
      : `the version in ${schema} cannot be read: ${messageOf(error)}`;
  }
}

/** For a person who is about to lose them. */
export async function countRows(database: Database, tables: readonly string[]): Promise<TableSize[]> {
  const sizes: TableSize[] = [];
  for (const table of tables) {
    const { rows } = await database.query(
      statement(`SELECT COUNT(*) AS n FROM (SELECT 1 AS one FROM ${table} LIMIT ${MOST_ROWS + 1}) some_rows`),
    );
    const counted = Number(rows[0]?.['n']);
    sizes.push({ table, rows: Math.min(counted, MOST_ROWS), hasMore: counted > MOST_ROWS });
  }
  return sizes;
}

/** Of every service in these tables. */
export async function livingNodes(database: Database, prefix: string): Promise<LivingNode[]> {
  const { node } = tableNames(prefix);
  const alive = `state = 'alive' AND expires_at > ${database.dialect.now}`;
  const rows = await readRows(database, `SELECT service, name, id FROM ${node} WHERE ${alive} ORDER BY service, id`);
  return (rows ?? []).map((row) => ({
    service: String(row['service']),
    name: `${String(row['name'])}#${String(row['id'])}`,
  }));
}

/** `undefined` when the table is missing: an installation may have been interrupted. */
async function readRows(database: Database, sql: string): Promise<readonly Record<string, unknown>[] | undefined> {
  try {
    return (await database.query(statement(sql))).rows;
  } catch (error) {
    if (database.dialect.isMissingTable(error)) return undefined;
    throw error;
  }
}
