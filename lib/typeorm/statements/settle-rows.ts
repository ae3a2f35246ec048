import { hasEnded } from '../../job/settlement.js';
import type { RowSettlement } from '../../repository/operation-repository.js';
import type { QueueTables } from '../queue-tables.js';
import { statement, type Script, type Statement } from '../statement.js';

const ROWS = {
  service: 'name',
  operation: 'name',
  row_id: 'name',
  fence: 'integer',
  turn: 'integer',
  attempt: 'integer',
  node: 'name',
  started_ago: 'integer',
  ended_ago: 'integer',
  outcome: 'name',
  reason: 'name',
  error: 'text',
  log: 'text',
  retry: 'integer',
  delay: 'integer',
} as const;

/** What has ended is forgotten but for its history; the others are told when they run again. Twice changes nothing more. */
export function* settleRows(
  tables: QueueTables,
  operation: string,
  settlements: readonly RowSettlement[],
  node: string,
): Script<void> {
  const ended = settlements.filter(({ settlement }) => hasEnded(settlement));
  const others = settlements.filter(({ settlement }) => !hasEnded(settlement));
  const attempts = settlements.filter(({ settlement }) => settlement.attempt !== undefined);
  const list = (some: readonly RowSettlement[]) =>
    JSON.stringify(some.map((one) => toRow(tables, operation, one, node)));
  if (ended.length > 0) yield deleteRows(tables, operation, ended);
  if (others.length > 0) yield statement(updateRows(tables), [list(others)]);
  if (attempts.length > 0) yield statement(insertAttempts(tables), [list(attempts)]);
}

/** All of one batch have begun under the same fence: that of the lock whose row the transaction has locked. */
function deleteRows({ names, service }: QueueTables, operation: string, ended: readonly RowSettlement[]): Statement {
  const ids = ended.map(({ settlement }) => settlement.id).sort();
  const fence = Number(ended[0]?.settlement.fence);
  return statement(
    `DELETE FROM ${names.operationRow} WHERE service = ? AND operation = ? AND fence = ? AND row_id IN (${ids.map(() => '?').join(', ')})`,
    [service, operation, fence, ...ids],
  );
}

/** Under the fence that started it, so that the same settlement does not count a retry twice. */
function updateRows({ dialect, names }: QueueTables): string {
  return dialect.joinedUpdate({
    table: names.operationRow,
    source: dialect.rows(ROWS),
    set: {
      retries: 'j.retries + v.retry',
      due: `CASE WHEN v.delay IS NULL THEN 0 ELSE ${dialect.now} + v.delay END`,
      started_at: '0',
      last_error: 'COALESCE(v.error, j.last_error)',
      updated_at: dialect.now,
    },
    on: 'j.service = v.service AND j.operation = v.operation AND j.row_id = v.row_id AND j.fence = v.fence AND j.started_at > 0',
  });
}

function insertAttempts({ dialect, names }: QueueTables): string {
  return (
    `INSERT INTO ${names.operationAttempt} ` +
    '(service, operation, row_id, fence, turn, attempt, node, started_at, ended_at, outcome, reason, error, log) ' +
    'SELECT v.service, v.operation, v.row_id, v.fence, v.turn, v.attempt, v.node, ' +
    `${dialect.now} - v.started_ago, ${dialect.now} - v.ended_ago, v.outcome, v.reason, v.error, v.log ` +
    `FROM ${dialect.rows(ROWS)} v WHERE v.row_id IS NOT NULL ${dialect.skipDuplicates('ended_at')}`
  );
}

/** Ages, not times: only the database's clock is stored. `undefined` is left out of the JSON and read as NULL. */
function toRow({ service }: QueueTables, operation: string, { turn, settlement }: RowSettlement, node: string) {
  const { id, fence, delay, usesRetry, attempt, notes } = settlement;
  const age = (time: number | undefined) =>
    time === undefined ? undefined : Math.max(0, Math.round(performance.now() - time));
  return {
    service,
    operation,
    row_id: id,
    fence,
    turn,
    attempt: attempt?.attempt,
    node,
    started_ago: age(attempt?.startedAt),
    ended_ago: age(attempt?.endedAt),
    outcome: attempt?.outcome,
    reason: attempt?.reason,
    error: attempt?.error === undefined ? undefined : JSON.stringify(attempt.error),
    log: notes === undefined ? undefined : JSON.stringify(notes.lines.map(({ message }) => message)),
    retry: usesRetry ? 1 : 0,
    delay,
  };
}
