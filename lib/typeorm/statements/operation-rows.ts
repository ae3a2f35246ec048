import type { RecordedError } from '../../support/serialise-error.js';
import type { KnownRow, TakenOver } from '../../repository/operation-repository.js';
import type { QueueTables } from '../queue-tables.js';
import { statement, type Row, type Script, type Statement } from '../statement.js';

const ROWS = {
  service: 'name',
  operation: 'name',
  row_id: 'name',
  fence: 'integer',
  turn: 'integer',
  attempt: 'integer',
  node: 'name',
  started_at: 'integer',
  crashes: 'integer',
  error: 'text',
} as const;

const SAME_ROW = 'j.service = v.service AND j.operation = v.operation AND j.row_id = v.row_id';

const CRASH = {
  name: 'CrashError',
  message: 'The process died, or lost the lock of the operation, while this row was running.',
} satisfies RecordedError;

/** A crash is held against a row only when it had been in one before: the first time others died with it. */
export function* takeOverRows(tables: QueueTables, operation: string): Script<TakenOver> {
  const { dialect, names, service } = tables;
  const { rows } = yield statement(
    `SELECT row_id, retries, crashes, suspect, started_at, fence, node, due - ${dialect.now} AS due_in FROM ${names.operationRow} ` +
      'WHERE service = ? AND operation = ?',
    [service, operation],
  );
  const orphans = rows.filter((row) => Number(row['started_at']) > 0);
  if (orphans.length > 0) {
    const listed = JSON.stringify(orphans.map((row) => toOrphan(tables, operation, row)));
    yield statement(releaseOrphans(tables), [listed]);
    yield statement(insertCrashes(tables), [listed]);
  }
  return { rows: rows.map(readKnownRow), now: yield* readClock(tables) };
}

export function selectRunning(
  { names, service }: QueueTables,
  operation: string,
  fence: number,
  ids: readonly string[],
): Statement {
  return statement(
    `SELECT row_id FROM ${names.operationRow} WHERE service = ? AND operation = ? AND fence = ? AND started_at > 0 ` +
      `AND row_id IN (${ids.map(() => '?').join(', ')})`,
    [service, operation, fence, ...ids],
  );
}

function* readClock({ dialect }: QueueTables): Script<number> {
  return Number((yield statement(`SELECT ${dialect.now} AS now`)).rows[0]?.['now']);
}

/** Answers the database's clock. */
export function* startRows(
  tables: QueueTables,
  operation: string,
  fence: number,
  node: string,
  ids: readonly string[],
): Script<number> {
  const { dialect, names, service } = tables;
  const listed = JSON.stringify(ids.map((id) => ({ service, operation, row_id: id, fence, node })));
  yield statement(
    `INSERT INTO ${names.operationRow} (service, operation, row_id) ` +
      `SELECT v.service, v.operation, v.row_id FROM ${dialect.rows(ROWS)} v WHERE v.row_id IS NOT NULL ${dialect.skipDuplicates('retries')}`,
    [listed],
  );
  const { now } = dialect;
  const set = { started_at: now, fence: 'v.fence', node: 'v.node', updated_at: now };
  const sql = dialect.joinedUpdate({
    table: names.operationRow,
    source: dialect.rows(ROWS),
    set,
    on: SAME_ROW,
  });
  yield statement(sql, [listed]);
  return yield* readClock(tables);
}

export function selectRowAttempts({ names, service }: QueueTables, operation: string, row: string): Statement {
  return statement(
    `SELECT * FROM ${names.operationAttempt} WHERE service = ? AND operation = ? AND row_id = ? ORDER BY fence, ended_at, turn`,
    [service, operation, row],
  );
}

function toOrphan({ service }: QueueTables, operation: string, row: Row) {
  const { row_id: id, fence, node, started_at: startedAt, retries, crashes, suspect } = row;
  return {
    service,
    operation,
    row_id: id,
    fence: Number(fence),
    turn: 0,
    attempt: Number(retries) + 1,
    node,
    started_at: Number(startedAt),
    crashes: Number(crashes) + (Number(suspect) > 0 ? 1 : 0),
    error: JSON.stringify(CRASH),
  };
}

function releaseOrphans({ dialect, names }: QueueTables): string {
  const set = {
    started_at: '0',
    suspect: '1',
    crashes: 'v.crashes',
    last_error: 'v.error',
    updated_at: dialect.now,
  };
  return dialect.joinedUpdate({ table: names.operationRow, source: dialect.rows(ROWS), set, on: SAME_ROW });
}

function insertCrashes({ dialect, names }: QueueTables): string {
  return (
    `INSERT INTO ${names.operationAttempt} (service, operation, row_id, fence, turn, attempt, node, started_at, ended_at, outcome, reason, error) ` +
    `SELECT v.service, v.operation, v.row_id, v.fence, v.turn, v.attempt, v.node, v.started_at, ${dialect.now}, 'crashed', 'crash', v.error ` +
    `FROM ${dialect.rows(ROWS)} v WHERE v.row_id IS NOT NULL ${dialect.skipDuplicates('ended_at')}`
  );
}

function readKnownRow(row: Row): KnownRow {
  const crashed = Number(row['started_at']) > 0;
  const wasSuspect = Number(row['suspect']) > 0;
  return {
    id: String(row['row_id']),
    retries: Number(row['retries']),
    crashes: Number(row['crashes']) + (crashed && wasSuspect ? 1 : 0),
    suspect: wasSuspect || crashed,
    dueIn: crashed ? 0 : Number(row['due_in']),
  };
}
