import type { QueueTables } from '../queue-tables.js';
import { parseJson } from '../row.js';
import { statement, type Script } from '../statement.js';

/** Types that have waiting jobs and no living node that runs them. Jumps from type to type in the index: rows are not counted. */
export function* unhandledTypes({ dialect, names, service }: QueueTables): Script<string[]> {
  const waiting = `FROM ${names.job} j${dialect.forceIndex(`${names.job}_claim`)} WHERE j.service = ? AND j.state = 'waiting'`;
  const { rows } = yield statement(
    `WITH RECURSIVE found AS (SELECT (SELECT j.type ${waiting} ORDER BY j.type LIMIT 1) AS type ` +
      `UNION ALL SELECT (SELECT j.type ${waiting} AND j.type > found.type ORDER BY j.type LIMIT 1) FROM found ` +
      'WHERE found.type IS NOT NULL) SELECT type FROM found WHERE type IS NOT NULL',
    [service, service],
  );
  if (rows.length === 0) return [];
  const nodes = yield statement(`SELECT types FROM ${names.node} WHERE service = ? AND state = 'alive'`, [service]);
  const handled = new Set(nodes.rows.flatMap((row) => parseJson(row['types']) as string[]));
  return rows.map((row) => row['type'] as string).filter((type) => !handled.has(type));
}
