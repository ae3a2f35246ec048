import type { Dialect } from './dialects/dialect.js';
import type { Result, Row, Statement } from './statement.js';

/** The part of pg's client that is used. */
interface PreparingClient {
  query(prepared: {
    name: string;
    text: string;
    values: readonly unknown[];
  }): Promise<{ rows: Row[]; rowCount: number | null }>;
}

/** Parsed and planned once for each connection: TypeORM has no way to ask for that. */
export async function runPrepared(
  connection: object,
  dialect: Dialect,
  prepared: Required<Statement>,
): Promise<Result> {
  const { name, sql, parameters } = prepared;
  const client = connection as PreparingClient;
  const { rows, rowCount } = await client.query({ name, text: dialect.placeholders(sql), values: parameters });
  return { rows, affected: rowCount ?? 0, insertId: 0 };
}
