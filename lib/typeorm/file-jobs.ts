import type { KeySource } from '../job/concurrency-key.js';
import type { Connected } from './queue-connection.js';
import { fileUnder, MOST_AT_ONCE, selectUnfiled, writeKeys } from './statements/file-jobs.js';

/**
 * Finds out the keys of jobs that were stored without: by plain SQL, by a schedule, by a process that does not know their handler, or before
 * their type had keys. From then on they wait under them. Answers whether it went on and there may be more. The application's own function
 * runs outside of the transaction: it may be slow, and nobody waits for the rows meanwhile.
 */
export async function fileJobs(
  { database, tables }: Connected,
  type: string,
  from: KeySource,
  priority: number,
): Promise<boolean> {
  const { rows } = await database.query(selectUnfiled(tables, type, priority));
  if (rows.length === 0) return false;
  const jobs = rows.map((row) => fileUnder(from, row));
  const filed = await database.transaction(() => writeKeys(tables, jobs));
  return filed > 0 && rows.length === MOST_AT_ONCE;
}
