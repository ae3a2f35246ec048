import type { ClaimedJob, JobLevel } from '../../job/job.js';
import type { ClaimRequest } from '../../repository/job-repository.js';
import type { QueueTables } from '../queue-tables.js';
import type { TableNames } from '../schema/tables.js';
import { optional, optionalNumber } from '../row.js';
import { statement, type Parameter, type Row, type Script, type Statement } from '../statement.js';
import { HAS_OWN_OPTIONS, ownOptions, type OwnOptions } from './own-options.js';

/** Each column costs: the type and the priority are those of the request. */
const COLUMNS = `id, fence, payload, job_key, reference, trace_id, due, created_at, deadline, retries, crashes, suspect, ${HAS_OWN_OPTIONS}`;

/**
 * The deadline counts from the first due time; a retry has a later one, so that it is written down once. What an earlier handling has
 * left behind about its acknowledgement is over, also when the type has become an automatic one.
 */
const SET_RUNNING =
  "SET state = 'running', fence = fence + 1, node_id = ?, started_at = 0, max_crashes = ?, " +
  'deadline = COALESCE(deadline, due + ?), ack_timeout = ?, delivered_at = 0';

/** Whoever acknowledges the job may not know how long its type is kept. */
const SET_RUNNING_MANUALLY = `${SET_RUNNING}, keep_succeeded = COALESCE(keep_succeeded, ?), keep_failed = COALESCE(keep_failed, ?)`;

/** Where in the line of a level a claim begins. */
export interface ClaimStart {
  readonly due: number;
  readonly id: number;
}

export const HEAD: ClaimStart = { due: 0, id: 0 };

/** Takes up to `limit` due jobs of one level, oldest first, from `from` on. */
export function* claimJobs(tables: QueueTables, request: ClaimRequest, from: ClaimStart): Script<ClaimedJob[]> {
  const claimed = tables.dialect.claimsByReturning
    ? (yield updateReturning(tables, request, from)).rows
    : yield* lockThenUpdate(tables, request, selectDue(tables, columnsFor(tables), request, from));
  return yield* readClaimed(tables, request, claimed);
}

export function* readClaimed(
  tables: QueueTables,
  request: ClaimRequest,
  claimed: readonly Row[],
): Script<ClaimedJob[]> {
  const ownOf = yield* ownOptions(tables, claimed);
  return claimed
    .map((row) => readClaimedJob(row, request, ownOf(row)))
    .sort((a, b) => a.due - b.due || Number(a.id) - Number(b.id));
}

/** PostgreSQL: the array keeps the planner from running the inner SELECT, and its LIMIT, more than once. */
function updateReturning(tables: QueueTables, request: ClaimRequest, from: ClaimStart): Statement {
  const { dialect, names } = tables;
  const pick = selectDue(tables, 'id', request, from);
  return statement(
    `UPDATE ${names.job} ${setRunning(request)} WHERE id = ANY(ARRAY(${pick.sql})) RETURNING ${COLUMNS}, ${dialect.now} AS now`,
    [...runningOf(request), ...pick.parameters],
  );
}

/** Rows are locked in index order and written in key order, so that two claimers never wait for each other. */
export function* lockThenUpdate(tables: QueueTables, request: ClaimRequest, select: Statement): Script<Row[]> {
  const { dialect, names } = tables;
  const picked = yield select;
  if (picked.rows.length === 0) return [];
  const ids = picked.rows.map((row) => Number(row['id'])).sort((a, b) => a - b);
  const listed = dialect.listed(ids);
  yield statement(
    `UPDATE ${names.job}${dialect.forceIndex('PRIMARY')} ${setRunning(request)} WHERE id IN (${listed.sql})`,
    [...runningOf(request), ...listed.parameters],
  );
  return picked.rows.map((row) => ({ ...row, fence: Number(row['fence']) + 1, deadline: firstDeadline(row, request) }));
}

export function setRunning({ manual }: ClaimRequest): string {
  return manual === undefined ? SET_RUNNING : SET_RUNNING_MANUALLY;
}

export function runningOf({ node, maxCrashes, deadline, manual }: ClaimRequest): Parameter[] {
  const running = [Number(node), maxCrashes, deadline ?? null, manual?.ackTimeout ?? 0];
  return manual === undefined ? running : [...running, manual.retention.succeeded, manual.retention.failed];
}

const OF_LEVEL = "service = ? AND state = 'waiting' AND type = ? AND concurrency_key = '' AND priority = ?";

/** The place in the line that so many jobs are before; `undefined`: there are not so many. Nothing is locked. */
export function* placeBehind(
  { dialect, names, service }: QueueTables,
  { type, priority }: JobLevel,
  from: ClaimStart,
  skip: number,
): Script<ClaimStart | undefined> {
  const { rows } = yield statement(
    `SELECT due, id FROM ${names.job}${dialect.forceIndex(`${names.job}_claim`)} ` +
      `WHERE ${OF_LEVEL} AND due >= ? AND due <= ${dialect.now} ORDER BY due, id LIMIT 1 OFFSET ${skip}`,
    [service, type, priority, from.due],
  );
  return rows[0] && { due: Number(rows[0]['due']), id: Number(rows[0]['id']) };
}

function selectDue(
  { dialect, names, service }: QueueTables,
  columns: string,
  request: ClaimRequest,
  from: ClaimStart,
): Statement {
  const begin = from.id === 0 ? 'due >= ?' : '(due > ? OR (due = ? AND id >= ?))';
  const place = from.id === 0 ? [from.due] : [from.due, from.due, from.id];
  const sql =
    `SELECT ${columns} FROM ${names.job}${dialect.forceIndex(`${names.job}_claim`)} ` +
    `WHERE ${OF_LEVEL} AND ${begin} AND due <= ${dialect.now} ` +
    `AND ${isAlive(names)} ORDER BY due, id LIMIT ?${dialect.skipLocked}`;
  return statement(sql, [service, request.type, request.priority, ...place, Number(request.node), request.limit]);
}

export function columnsFor({ dialect }: QueueTables): string {
  return `${COLUMNS}, ${dialect.now} AS now`;
}

/** A node that has been found dead must not take new jobs: they would wait for the next sweep. */
export function isAlive({ node }: TableNames): string {
  return `EXISTS (SELECT 1 FROM ${node} n WHERE n.id = ? AND n.state = 'alive')`;
}

function firstDeadline(row: Row, request: ClaimRequest): number | null {
  const known = optionalNumber(row['deadline']);
  if (known !== undefined || request.deadline === undefined) return known ?? null;
  return Number(row['due']) + request.deadline;
}

function readClaimedJob(row: Row, request: ClaimRequest, own: OwnOptions): ClaimedJob {
  return {
    id: String(row['id']),
    fence: Number(row['fence']),
    type: request.type,
    priority: optionalNumber(row['priority']) ?? request.priority,
    payload: row['payload'] as string | null,
    key: optional(row['job_key']),
    reference: optional(row['reference']),
    traceId: optional(row['trace_id']),
    due: Number(row['due']),
    created: Number(row['created_at']),
    deadline: optionalNumber(row['deadline']),
    retries: Number(row['retries']),
    maxRetries: own.maxRetries,
    retention: own.retention,
    crashes: Number(row['crashes']),
    suspect: Number(row['suspect']) > 0,
    now: Number(row['now']),
  };
}
