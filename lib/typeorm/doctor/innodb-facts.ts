import type { QueueTables } from '../queue-tables.js';
import { statement, type Script } from '../statement.js';
import type { LongTransaction } from './long-transaction.js';

/** Versions of rows that InnoDB has not removed yet, of all tables of the server. */
export function* readHistoryLength({ dialect }: QueueTables): Script<number> {
  if (dialect.name === 'mariadb') {
    const { rows } = yield statement("SHOW GLOBAL STATUS LIKE 'Innodb_history_list_length'");
    return Number(rows[0]?.['Value']);
  }
  const { rows } = yield statement(
    "SELECT `COUNT` AS length, status FROM information_schema.innodb_metrics WHERE name = 'trx_rseg_history_len'",
  );
  const [metric] = rows;
  if (metric !== undefined && (metric['status'] ?? metric['STATUS']) === 'enabled') return Number(metric['length']);
  return yield* readFromStatus();
}

/** Where somebody has switched the metric off. */
function* readFromStatus(): Script<number> {
  const { rows } = yield statement('SHOW ENGINE INNODB STATUS');
  const text = String(rows[0]?.['Status']);
  const [, length] = /History list length (\d+)/.exec(text) ?? [];
  if (length === undefined) throw new Error('SHOW ENGINE INNODB STATUS tells no history list length');
  return Number(length);
}

export function* readInnodbTransactions(_tables: QueueTables, seconds: number): Script<LongTransaction[]> {
  // When it began is told in the zone of the server, whatever that of the session is.
  const age = "TIMESTAMPDIFF(SECOND, trx_started, CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', 'SYSTEM'))";
  const { rows } = yield statement(
    `SELECT trx_mysql_thread_id AS thread, ${age} AS age FROM information_schema.innodb_trx WHERE ${age} >= ? ORDER BY trx_started LIMIT 10`,
    [seconds],
  );
  return rows.map((row) => ({
    what: `connection ${String(row['thread'])}`,
    seconds: Number(row['age']),
    cure: `KILL ${String(row['thread'])}`,
  }));
}
