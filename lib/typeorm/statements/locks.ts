import type { HeldLock, LockAnswer, LockRequest } from '../../lock/lock-repository.js';
import type { QueueTables } from '../queue-tables.js';
import { statement, type Script, type Statement } from '../statement.js';
import { flipped, holdRow } from './hold-row.js';

/**
 * Reads first, so that whoever waits writes nothing. The fence that was read is part of the condition: then it is known without an
 * answer that only some databases give. Each statement is committed by itself.
 */
export function* takeLock(tables: QueueTables, request: LockRequest): Script<LockAnswer> {
  const { dialect, names, service } = tables;
  const { name, token, owner, atMost } = request;
  const found = yield selectLock(tables, name);
  if (found.rows.length === 0) yield insertFree(tables, name);
  const { fence = 0, free_in: freeIn = 0 } = found.rows[0] ?? {};
  if (Number(freeIn) > 0) return { freeIn: Number(freeIn) };
  const { affected } = yield statement(
    `UPDATE ${names.lock} SET fence = fence + 1, token = ?, owner = ?, locked_at = ${dialect.now}, locked_until = ${dialect.now} + ? ` +
      `WHERE service = ? AND name = ? AND fence = ? AND locked_until <= ${dialect.now}`,
    [token, owner, atMost, service, name, Number(fence)],
  );
  return affected === 1 ? { fence: Number(fence) + 1 } : { freeIn: 0 };
}

/** One that was extended is not made shorter. */
export function renewLock(tables: QueueTables, lock: HeldLock, duration: number): Statement {
  const { dialect, names } = tables;
  const until = dialect.greatest('locked_until', `${dialect.now} + ?`);
  return ofHolder(
    tables,
    lock,
    `UPDATE ${names.lock} SET locked_until = ${until}`,
    [duration],
    [`locked_until > ${dialect.now}`],
  );
}

export function holdLock({ dialect, names, service }: QueueTables, { name, token }: HeldLock): Script<boolean> {
  return holdRow(dialect, {
    table: names.lock,
    where: `service = ? AND name = ? AND token = ? AND locked_until > ${dialect.now}`,
    parameters: [service, name, token],
    flip: flipped('locked_at'),
  });
}

/** Without its token, so that a renewal that is still on its way finds nothing to renew. */
export function releaseLock(tables: QueueTables, lock: HeldLock, atLeast: number): Statement {
  const { dialect, names } = tables;
  const until = dialect.greatest('locked_at + ?', dialect.now);
  return ofHolder(tables, lock, `UPDATE ${names.lock} SET locked_until = ${until}, token = ''`, [atLeast]);
}

function selectLock({ dialect, names, service }: QueueTables, name: string): Statement {
  return statement(
    `SELECT fence, locked_until - ${dialect.now} AS free_in FROM ${names.lock} WHERE service = ? AND name = ?`,
    [service, name],
  );
}

/** Nobody holds it yet. It is never deleted, because its fence must go on from where it was. */
export function insertFree({ dialect, names, service }: QueueTables, name: string): Statement {
  return statement(
    `INSERT INTO ${names.lock} (service, name, fence, token, owner, locked_at, locked_until) VALUES (?, ?, 0, '', '', 0, 0) ` +
      dialect.skipDuplicates('name'),
    [service, name],
  );
}

function ofHolder(
  { service }: QueueTables,
  { name, token }: HeldLock,
  update: string,
  parameters: readonly number[],
  conditions: readonly string[] = [],
): Statement {
  const where = ['service = ?', 'name = ?', 'token = ?', ...conditions].join(' AND ');
  return statement(`${update} WHERE ${where}`, [...parameters, service, name, token]);
}
