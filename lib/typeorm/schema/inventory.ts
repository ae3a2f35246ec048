import type { Database } from '../database.js';
import { statement } from '../statement.js';
import { tableNames } from './tables.js';

export interface TableSize {
  readonly table: string;
  readonly rows: number;
}

export interface LivingNode {
  readonly service: string;
  readonly name: string;
}

/** The tables that are there, with their rows, counted: for a person who is about to lose them. */
export async function countRows(database: Database, prefix: string): Promise<TableSize[]> {
  const sizes: TableSize[] = [];
  for (const table of Object.values(tableNames(prefix))) {
    const rows = await readRows(database, `SELECT COUNT(*) AS n FROM ${table}`);
    if (rows !== undefined) sizes.push({ table, rows: Number(rows[0]?.['n']) });
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
