import type { QueueTables } from '../queue-tables.js';
import { statement, type Parameter, type Script, type Statement } from '../statement.js';
import { gapsBetween, type Gap } from './gaps.js';

/** An idle node may ask once a second in all. */
const MOST_LOOKS = 20;

/**
 * Services that have waiting jobs and no living node. Other applications may share the tables, so that only their names are looked
 * at: one search of the index for each service without a node, however many rows it has.
 */
export function* unhandledServices(tables: QueueTables): Script<string[]> {
  const { dialect, names } = tables;
  const nodes = yield statement(
    `SELECT DISTINCT service FROM ${names.node} WHERE state = 'alive' AND expires_at >= ${dialect.now}`,
  );
  const unhandled: string[] = [];
  const gaps = gapsBetween(nodes.rows.map(({ service }) => service as string));
  for (let look = 0; look < MOST_LOOKS; look++) {
    const gap = gaps[0];
    if (gap === undefined) break;
    const found = (yield firstIn(tables, gap)).rows[0]?.['service'];
    if (typeof found !== 'string') gaps.shift();
    else {
      gaps[0] = { above: found, below: gap.below };
      if ((yield waitingOf(tables, found)).rows.length > 0) unhandled.push(found);
    }
  }
  return unhandled;
}

function firstIn({ dialect, names }: QueueTables, { above, below }: Gap): Statement {
  // Where the index holds waiting jobs only, it is found by them; elsewhere they would be searched for among all others.
  const waiting = dialect.partialIndexes ? " AND state = 'waiting'" : '';
  const upTo = below === undefined ? '' : ' AND service < ?';
  const parameters: Parameter[] = below === undefined ? [above] : [above, below];
  return statement(
    `SELECT service FROM ${names.job}${dialect.forceIndex(`${names.job}_claim`)} ` +
      `WHERE service > ?${upTo}${waiting} ORDER BY service LIMIT 1`,
    parameters,
  );
}

function waitingOf({ dialect, names }: QueueTables, service: string): Statement {
  return statement(
    `SELECT 1 FROM ${names.job}${dialect.forceIndex(`${names.job}_claim`)} WHERE service = ? AND state = 'waiting' LIMIT 1`,
    [service],
  );
}
