import type { QueueTables } from '../queue-tables.js';
import { statement, type Script } from '../statement.js';

/** Those that nobody would claim: their type has no concurrency keys any more, or plain SQL has written some. */
export function* unfileJobs({ dialect, names, service }: QueueTables, type: string, limit: number): Script<number> {
  const { rows } = yield statement(
    `SELECT id FROM ${names.job}${dialect.forceIndex(`${names.job}_claim`)} ` +
      `WHERE service = ? AND state = 'waiting' AND type = ? AND concurrency_key > '' LIMIT ?${dialect.skipLocked}`,
    [service, type, limit],
  );
  if (rows.length === 0) return 0;
  const listed = dialect.listed(rows.map(({ id }) => Number(id)));
  const { affected } = yield statement(
    `UPDATE ${names.job}${dialect.forceIndex('PRIMARY')} SET concurrency_key = '' WHERE id IN (${listed.sql})`,
    listed.parameters,
  );
  return affected;
}
