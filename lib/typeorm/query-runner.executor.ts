import type { QueryRunner } from 'typeorm';
import type { Dialect } from './dialects/dialect.js';
import type { Result, Row, Statement } from './statement.js';

/** Runs one statement on a TypeORM connection, ours or the caller's. */
export async function runOn(runner: QueryRunner, dialect: Dialect, { sql, parameters }: Statement): Promise<Result> {
  const result = await runner.query(dialect.placeholders(sql), [...parameters], true);
  const raw: unknown = result.raw;
  const insertId: unknown = typeof raw === 'object' && raw !== null ? Reflect.get(raw, 'insertId') : undefined;
  return {
    rows: (result.records ?? []) as Row[],
    affected: result.affected ?? 0,
    insertId: Number(insertId ?? 0),
  };
}
