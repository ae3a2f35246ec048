import type { JobToken } from '../../job/job.js';
import type { QueueTables } from '../queue-tables.js';
import { statement, type Script } from '../statement.js';

/** Of these claims, the ids whose row carries another fence or is in none of the states they should have left it in. */
export function* findLost(
  { dialect, names }: QueueTables,
  tokens: readonly JobToken[],
  states: readonly string[],
): Script<string[]> {
  const source = dialect.rows({ id: 'id', fence: 'integer' });
  const kept = yield statement(
    `SELECT j.id FROM ${source} v JOIN ${names.job} j ON j.id = v.id AND j.fence = v.fence WHERE j.state IN (${states.map(() => '?').join(', ')})`,
    [JSON.stringify(tokens.map(({ id, fence }) => ({ id: Number(id), fence }))), ...states],
  );
  const ids = new Set(kept.rows.map((row) => String(row['id'])));
  return tokens.filter(({ id }) => !ids.has(id)).map(({ id }) => id);
}
