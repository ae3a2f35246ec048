import { concurrencyKeyOf, type KeySource } from '../../job/concurrency-key.js';
import type { QueueTables } from '../queue-tables.js';
import { statement, type Script } from '../statement.js';

/** Payloads may be large. */
const MOST_AT_ONCE = 200;

/**
 * Finds out the keys of jobs that were stored without: by plain SQL, by a schedule, by a process that does not know their handler, or before
 * their type had keys. From then on they wait under them. Answers how many, and whether there may be more.
 */
export function* fileJobs(tables: QueueTables, type: string, from: KeySource, priority: number): Script<boolean> {
  const { dialect, names, service } = tables;
  const { rows } = yield statement(
    `SELECT id, payload FROM ${names.job}${dialect.forceIndex(`${names.job}_claim`)} ` +
      `WHERE service = ? AND state = 'waiting' AND type = ? AND concurrency_key = '' AND priority = ? ORDER BY due, id LIMIT ?${dialect.skipLocked}`,
    [service, type, priority, MOST_AT_ONCE],
  );
  if (rows.length === 0) return false;
  const filed = rows.map(({ id, payload }) => ({
    id: Number(id),
    k: concurrencyKeyOf(from, payload as string | null),
  }));
  yield statement(
    dialect.joinedUpdate({
      table: names.job,
      source: dialect.rows({ id: 'id', k: 'name' }),
      set: { concurrency_key: 'v.k' },
      on: 'j.id = v.id',
    }),
    [JSON.stringify(filed.sort((a, b) => a.id - b.id))],
  );
  return rows.length === MOST_AT_ONCE;
}
