import type { HandledType } from '../../job/handled-type.js';
import type { NodeDescription } from '../../repository/job-repository.js';
import type { QueueTables } from '../queue-tables.js';
import { statement, type Parameter, type Script, type Statement } from '../statement.js';

export function* registerNode(
  { dialect, names, service }: QueueTables,
  node: NodeDescription,
  lease: number,
): Script<string> {
  const { rows, insertId } = yield statement(
    `INSERT INTO ${names.node} (service, name, state, registered_at, beat_at, expires_at, concurrency, types, limits, clock_skew) ` +
      `VALUES (?, ?, 'alive', ${dialect.now}, ${dialect.now}, ${dialect.now} + ?, ?, ?, ?, ? - ${dialect.now}) ` +
      (dialect.insertsReturning ? 'RETURNING id' : ''),
    // This process's clock now, and not when it was first tried: it is only told, and nothing is decided by it.
    [service, node.name, lease, node.concurrency, ...typeColumns(node.types), Date.now()],
  );
  return String(dialect.insertsReturning ? rows[0]?.['id'] : insertId);
}

export function setTypes({ names }: QueueTables, node: string, types: readonly HandledType[]): Statement {
  return statement(`UPDATE ${names.node} SET types = ?, limits = ? WHERE id = ?`, [
    ...typeColumns(types),
    Number(node),
  ]);
}

/** Names by themselves, because they are read by every node that looks for unhandled jobs. */
function typeColumns(types: readonly HandledType[]): Parameter[] {
  return [JSON.stringify(types.map(({ type }) => type)), JSON.stringify(types)];
}

/** Only a node that is still alive: one that has been found dead stays dead, however fresh its beat. */
export function beat({ dialect, names }: QueueTables, node: string, lease: number): Statement {
  return statement(
    `UPDATE ${names.node} SET beat_at = ${dialect.now}, expires_at = ${dialect.now} + ? WHERE id = ? AND state = 'alive'`,
    [lease, Number(node)],
  );
}

export function retireNode({ names }: QueueTables, node: string): Statement {
  return statement(`UPDATE ${names.node} SET state = 'stopped' WHERE id = ? AND state = 'alive'`, [Number(node)]);
}

export function claimsOf({ dialect, names, service }: QueueTables, node: string): Statement {
  return statement(
    `SELECT id, fence FROM ${names.job}${dialect.forceIndex(`${names.job}_claim`)} WHERE service = ? AND state = 'running' AND node_id = ?`,
    [service, Number(node)],
  );
}
