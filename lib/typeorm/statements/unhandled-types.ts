import type { QueueTables } from '../queue-tables.js';
import { parseJson } from '../row.js';
import { statement, type Script } from '../statement.js';

/** Enough to know that something is wrong; each costs a statement. */
const MOST_TYPES = 20;

/** Types that have waiting jobs and no living node that runs them. Jumps from type to type in the index: rows are not counted. */
export function* unhandledTypes({ dialect, names, service }: QueueTables): Script<string[]> {
  const nodes = yield statement(`SELECT types FROM ${names.node} WHERE service = ? AND state = 'alive'`, [service]);
  const handled = new Set(nodes.rows.flatMap((row) => parseJson(row['types']) as string[]));
  const next =
    `SELECT type FROM ${names.job}${dialect.forceIndex(`${names.job}_claim`)} ` +
    "WHERE service = ? AND state = 'waiting' AND type > ? ORDER BY type LIMIT 1";
  const unhandled: string[] = [];
  for (let last = '', seen = 0; seen < MOST_TYPES; seen++) {
    const type = (yield statement(next, [service, last])).rows[0]?.['type'] as string | undefined;
    if (type === undefined) break;
    if (!handled.has(type)) unhandled.push(type);
    last = type;
  }
  return unhandled;
}
