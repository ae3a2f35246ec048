import { concurrencyKeyOf, type KeySource } from '../../job/concurrency-key.js';
import type { QueueTables } from '../queue-tables.js';
import { statement, type Row, type Script, type Statement } from '../statement.js';

/** Payloads may be large. */
export const MOST_AT_ONCE = 200;

/** The next of those that nobody has filed. */
export function selectUnfiled({ dialect, names, service }: QueueTables, type: string, priority: number): Statement {
  return statement(
    `SELECT id, payload FROM ${names.job}${dialect.forceIndex(`${names.job}_claim`)} ` +
      "WHERE service = ? AND state = 'waiting' AND type = ? AND concurrency_key = '' AND priority = ? ORDER BY due, id LIMIT ?",
    [service, type, priority, MOST_AT_ONCE],
  );
}

export interface FiledJob {
  readonly id: number;
  readonly k: string;
}

export function fileUnder(from: KeySource, { id, payload }: Row): FiledJob {
  return { id: Number(id), k: concurrencyKeyOf(from, payload as string | null) };
}

/** Writes the keys into those that are as they were found, past rows that somebody else is changing; answers how many. */
export function* writeKeys({ dialect, names }: QueueTables, jobs: readonly FiledJob[]): Script<number> {
  const listed = dialect.listed(jobs.map(({ id }) => id).sort((a, b) => a - b));
  const { rows } = yield statement(
    `SELECT id FROM ${names.job}${dialect.forceIndex('PRIMARY')} ` +
      `WHERE id IN (${listed.sql}) AND state = 'waiting' AND concurrency_key = '' ORDER BY id${dialect.skipLocked}`,
    listed.parameters,
  );
  const keys = new Map(jobs.map(({ id, k }) => [id, k]));
  const locked = rows.map(({ id }) => ({ id: Number(id), k: keys.get(Number(id)) }));
  if (locked.length === 0) return 0;
  yield statement(
    dialect.joinedUpdate({
      table: names.job,
      source: dialect.rows({ id: 'id', k: 'name' }),
      set: { concurrency_key: 'v.k' },
      on: 'j.id = v.id',
    }),
    [JSON.stringify(locked)],
  );
  return locked.length;
}
