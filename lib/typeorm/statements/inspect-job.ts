import { UNFILED } from '../../job/concurrency-key.js';
import type { JobState } from '../../job/job-state.js';
import { COUNTED_AHEAD, type JobSituation, type NodeState } from '../../repository/inspection-repository.js';
import type { QueueTables } from '../queue-tables.js';
import { statement, type Parameter, type Row, type Script, type Statement } from '../statement.js';
import { stateOf } from './awaiting.js';
import { nodeName, nodeState } from './inspect-nodes.js';
import { readSlot, selectSlots } from './inspect-slots.js';
import { readJob } from './read-jobs.js';

const OPEN: readonly JobState[] = ['waiting', 'scheduled'];

export function* inspectJob(tables: QueueTables, id: number): Script<JobSituation | undefined> {
  const row = (yield selectSituation(tables, id)).rows[0];
  if (row === undefined) return undefined;
  // A scheduled one that is due has its place among those that wait, which it joins with the next look of a node.
  const isOpen = OPEN.includes(stateOf(row));
  const isNext = isOpen && Number(row['overdue']) >= 0;
  const counted = isNext ? (yield countAhead(tables, row)).rows : [];
  const ahead = counted.reduce((sum, { ahead: count }) => sum + Number(count), 0);
  const slots = isOpen ? (yield selectSlots(tables, String(row['type']), String(row['concurrency_key']))).rows : [];
  const isRunning = row['state'] === 'running';
  return {
    job: readJob(row),
    node: isRunning ? holderOf(row) : undefined,
    started: isRunning && Number(row['started_at']) > 0,
    recorded: Number(row['recorded']) > 0,
    suspect: Number(row['suspect']) > 0,
    overdue: Number(row['overdue']),
    expired: Number(row['expired']) > 0,
    paused: Number(row['paused']) > 0,
    ahead: Math.min(ahead, COUNTED_AHEAD),
    filed: row['concurrency_key'] !== UNFILED,
    slots: slots.map(readSlot),
  };
}

function selectSituation({ dialect, names, service }: QueueTables, id: number): Statement {
  const isThere = (table: string, where: string) =>
    `CASE WHEN EXISTS (SELECT 1 FROM ${table} o WHERE ${where}) THEN 1 ELSE 0 END`;
  const holder = `${names.node} n WHERE n.id = j.node_id`;
  return statement(
    `SELECT j.*, ${dialect.now} - j.due AS overdue, CASE WHEN j.deadline < ${dialect.now} THEN 1 ELSE 0 END AS expired, ` +
      `(SELECT n.name FROM ${holder}) AS node_name, (SELECT ${nodeState(dialect)} FROM ${holder}) AS node_state, ` +
      `${isThere(names.attempt, 'o.job_id = j.id AND o.fence = j.fence')} AS recorded, ` +
      `${isThere(names.pause, 'o.service = j.service AND o.type = j.type')} AS paused ` +
      `FROM ${names.job} j WHERE j.id = ? AND j.service = ?`,
    [id, service],
  );
}

/** Without its row, nobody will ever hear of it. */
function holderOf(row: Row): JobSituation['node'] {
  const name = nodeName({ id: row['node_id'], name: row['node_name'] ?? '?' });
  return { name, state: (row['node_state'] ?? 'dead') as NodeState };
}

/**
 * In the order of the claim index: each part is one stretch of it, of which no more is read than is counted. The last part is of those
 * that are due and not made ready yet, which no node leaves so for long.
 */
function countAhead({ dialect, names, service }: QueueTables, row: Row): Statement {
  const level = [service, String(row['type']), String(row['concurrency_key']), Number(row['priority'])];
  const [due, id] = [Number(row['due']), Number(row['id'])];
  const waiting = (priority: string) =>
    `SELECT 1 FROM ${names.job}${dialect.forceIndex(`${names.job}_claim`)} ` +
    `WHERE service = ? AND state = 'waiting' AND type = ? AND concurrency_key = ? AND priority ${priority}`;
  const scheduled =
    `SELECT 1 FROM ${names.job}${dialect.forceIndex(`${names.job}_due`)} ` +
    `WHERE service = ? AND state = 'scheduled' AND delivered_at = 0 AND due <= ${dialect.now} AND type = ? AND concurrency_key = ?`;
  const earlier = '(due < ? OR (due = ? AND id < ?))';
  const parts: [string, Parameter[]][] = [
    [`${waiting('> ?')} AND due <= ${dialect.now}`, level],
    [`${waiting('= ?')} AND due < ?`, [...level, due]],
    [`${waiting('= ?')} AND due = ? AND id < ?`, [...level, due, id]],
    [`${scheduled} AND (priority > ? OR (priority = ? AND ${earlier}))`, [...level, ...level.slice(3), due, due, id]],
  ];
  const counts = parts.map(([sql]) => `SELECT COUNT(*) AS ahead FROM (${sql} LIMIT ${COUNTED_AHEAD}) a`);
  return statement(
    counts.join(' UNION ALL '),
    parts.flatMap(([, parameters]) => parameters),
  );
}
