import type { HandledType } from '../../job/handled-type.js';
import type { NodeState, NodeStatus } from '../../repository/inspection-repository.js';
import type { Dialect } from '../dialects/dialect.js';
import type { QueueTables } from '../queue-tables.js';
import { optionalNumber, parseJson } from '../row.js';
import { statement, type Row, type Script, type Statement } from '../statement.js';

/** Nodes that have ended are pruned a day after; where nobody prunes, they are not shown any more. */
const SHOWN = 86_400_000;

export function* inspectNodes(tables: QueueTables): Script<NodeStatus[]> {
  const nodes = yield selectNodes(tables);
  const claims = yield selectClaims(tables);
  return nodes.rows.map((row) =>
    readNode(
      row,
      claims.rows.filter((claim) => Number(claim['node_id']) === Number(row['id'])),
    ),
  );
}

export function selectPauses({ names, service }: QueueTables): Statement {
  return statement(`SELECT type FROM ${names.pause} WHERE service = ?`, [service]);
}

/** The `NodeState` of a row, which does not know by itself that it has become silent. */
export function nodeState({ now }: Dialect): string {
  return `CASE WHEN state = 'alive' AND expires_at < ${now} THEN 'silent' ELSE state END`;
}

function selectNodes({ dialect, names, service }: QueueTables): Statement {
  return statement(
    `SELECT id, name, ${nodeState(dialect)} AS state, registered_at, beat_at, concurrency, limits FROM ${names.node} ` +
      `WHERE service = ? AND (state = 'alive' OR expires_at >= ${dialect.now} - ${SHOWN}) ` +
      "ORDER BY CASE WHEN state = 'alive' THEN 0 ELSE 1 END, id DESC",
    [service],
  );
}

/** As many rows are read as jobs are running. */
function selectClaims({ dialect, names, service }: QueueTables): Statement {
  return statement(
    `SELECT node_id, type, COUNT(*) AS running FROM ${names.job}${dialect.forceIndex(`${names.job}_claim`)} ` +
      "WHERE service = ? AND state = 'running' GROUP BY node_id, type",
    [service],
  );
}

function readNode(row: Row, claims: readonly Row[]): NodeStatus {
  const running = new Map(claims.map((claim) => [String(claim['type']), Number(claim['running'])]));
  // A row that was not written by a node of ours has none.
  const types = (parseJson(row['limits']) ?? []) as HandledType[];
  return {
    id: String(row['id']),
    name: nodeName(row),
    state: row['state'] as NodeState,
    registeredAt: new Date(Number(row['registered_at'])),
    beatAt: new Date(Number(row['beat_at'])),
    concurrency: Number(row['concurrency']),
    running: [...running.values()].reduce((sum, count) => sum + count, 0),
    types: types.map((handled) => ({
      type: handled.type,
      concurrency: handled.concurrency,
      maxCrashes: handled.maxCrashes,
      deadline: optionalNumber(handled.deadline),
      limits: handled.limits,
      running: running.get(handled.type) ?? 0,
    })),
  };
}

/** As the history has it. */
export function nodeName({ id, name }: Row): string {
  return `${String(name)}#${Number(id)}`;
}
