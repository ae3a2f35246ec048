import type { QueryRunner } from 'typeorm';
import type { Dialect } from './dialects/dialect.js';
import type { Result, Row, Statement } from './statement.js';

/** Runs one statement on a TypeORM connection, ours or the caller's. */
export async function runOn(runner: QueryRunner, dialect: Dialect, { sql, parameters }: Statement): Promise<Result> {
  const result = await runner.query(dialect.placeholders(sql), [...parameters], true);
  const raw: unknown = result.raw;
  const insertId: unknown = typeof raw === 'object' && raw !== null ? Reflect.get(raw, 'insertId') : undefined;
  const rows = (result.records ?? []) as Row[];
  return {
    rows: dialect.readsBytes ? bytesToText(rows) : rows,
    affected: result.affected ?? 0,
    insertId: Number(insertId ?? 0),
  };
}

/** In place: there are many. */
function bytesToText(rows: Row[]): Row[] {
  for (const row of rows) {
    for (const [name, value] of Object.entries(row)) if (Buffer.isBuffer(value)) row[name] = value.toString();
  }
  return rows;
}
