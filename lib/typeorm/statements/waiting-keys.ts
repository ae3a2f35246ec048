import { UNFILED } from '../../job/concurrency-key.js';
import type { QueueTables } from '../queue-tables.js';
import { statement, type Parameter, type Row, type Statement } from '../statement.js';

/** A concurrency key under which due jobs wait, and the best priority among them. */
export interface WaitingKey {
  readonly key: string;
  readonly priority: number;
}

/**
 * The next keys below one, or the highest of all, and whether any job is unfiled. From key to key by one search of the claim index each,
 * whatever waits under them; from above, because the entries that InnoDB has not purged yet are those of the oldest jobs.
 */
export function selectWaitingKeys(
  tables: QueueTables,
  type: string,
  below: string | undefined,
  most: number,
): Statement {
  const level: Parameter[] = [tables.service, type];
  const [first, start] = below === undefined ? ['', []] : [' AND j.concurrency_key < ?', [below]];
  const sql =
    `WITH RECURSIVE found (k, n) AS (SELECT (${nextKey(tables, first)}), 1 UNION ALL ` +
    `SELECT (${nextKey(tables, ' AND j.concurrency_key < found.k')}), n + 1 FROM found WHERE k IS NOT NULL AND n < ${most}) ` +
    `SELECT k, (${bestOf(tables, 'found.k')}) AS priority FROM found WHERE k IS NOT NULL ` +
    `UNION ALL SELECT '' AS k, (${bestOf(tables, "''")}) AS priority`;
  return statement(sql, [...level, ...start, ...level, ...level, ...level]);
}

export interface WaitingKeys {
  readonly keys: readonly WaitingKey[];
  /** The best priority of jobs that are not filed; `undefined`: there are none. */
  readonly unfiled: number | undefined;
  readonly lowest: string | undefined;
  /** There are none below. */
  readonly ended: boolean;
}

export function readWaitingKeys(rows: readonly Row[], most: number): WaitingKeys {
  const found = rows.map(({ k, priority }) => ({ key: String(k), priority: optionalPriority(priority) }));
  const isDue = (key: { priority: number | undefined }): key is WaitingKey => key.priority !== undefined;
  const filed = found.filter(({ key }) => key !== UNFILED);
  return {
    keys: filed.filter(isDue),
    unfiled: found.find(({ key }) => key === UNFILED)?.priority,
    lowest: filed.at(-1)?.key,
    ended: filed.length < most,
  };
}

/** The best priority of those that are due under one key. */
export function selectBestPriority(tables: QueueTables, type: string, key: string): Statement {
  return statement(`SELECT (${bestOf(tables, '?')}) AS priority`, [tables.service, type, key]);
}

export function optionalPriority(value: unknown): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}

function nextKey({ dialect, names }: QueueTables, where: string): string {
  return (
    `SELECT j.concurrency_key FROM ${names.job} j${dialect.forceIndex(`${names.job}_claim`)} ` +
    `WHERE j.service = ? AND j.state = 'waiting' AND j.type = ? AND j.concurrency_key > ''${where} ORDER BY j.concurrency_key DESC LIMIT 1`
  );
}

/** Ordered by the key too, without which MariaDB or MySQL would sort. */
function bestOf({ dialect, names }: QueueTables, key: string): string {
  return (
    `SELECT j.priority FROM ${names.job} j${dialect.forceIndex(`${names.job}_claim`)} ` +
    `WHERE j.service = ? AND j.state = 'waiting' AND j.type = ? AND j.concurrency_key = ${key} AND j.due <= ${dialect.now} ` +
    'ORDER BY j.type DESC, j.priority DESC LIMIT 1'
  );
}
