import type { AcknowledgedJob, AcknowledgementRefusal, AcknowledgeRequest } from '../../job/acknowledgement.js';
import { ENDED_STATES, type JobState } from '../../job/job-state.js';
import type { Retention } from '../../options/resolved-options.js';
import type { QueueTables } from '../queue-tables.js';
import { statement, type Parameter, type Row, type Script, type Statement } from '../statement.js';
import { stateOf } from './awaiting.js';
import { KEY_RELEASE } from './change-job.js';
import { endAttempt, isDelivered } from './end-attempt.js';
import { deleteSteps } from './prune.js';
import { deleteEnded } from './settle-jobs.js';

/**
 * What a consumer tells about a delivered job, under the lock of its row: of two at the same moment, the second finds what the first
 * has left. `keep`: for jobs whose claim has not written down how long they are kept.
 */
export function* acknowledgeJob(
  tables: QueueTables,
  id: number,
  request: AcknowledgeRequest,
  keep: Retention,
): Script<AcknowledgedJob | undefined> {
  const row = (yield lockJob(tables, id)).rows[0];
  if (row === undefined) return undefined;
  const job = { type: String(row['type']), attempt: attemptOf(row) };
  const reason = refusalOf(row, request.delivery);
  if (reason !== undefined) return { ...job, accepted: false, state: stateOf(row), reason };
  if (request.kind === 'processing') {
    if (isDelivered(row)) yield rearm(tables, id, row);
    return { ...job, accepted: true, state: 'running', reason };
  }
  // Where each statement is committed by itself, the job may have moved on since it was read.
  if (!(yield* end(tables, id, row, request, keep))) return yield* acknowledgeJob(tables, id, request, keep);
  return { ...job, accepted: true, state: request.kind === 'finish' ? 'succeeded' : 'failed', reason };
}

function lockJob({ dialect, names, service }: QueueTables, id: number): Statement {
  const nodeName = `SELECT n.name FROM ${names.node} n WHERE n.id = node_id`;
  return statement(
    `SELECT type, state, fence, retries, node_id, (${nodeName}) AS node_name, started_at, delivered_at, ack_timeout, ` +
      `keep_succeeded, keep_failed FROM ${names.job} WHERE id = ? AND service = ?${dialect.lockRow}`,
    [id, service],
  );
}

/** One that was taken back has been counted as a retry already. */
function attemptOf(row: Row): number {
  return Number(row['retries']) + (isTakenBack(row) ? 0 : 1);
}

/** Not acknowledged in time, and not handled again yet. */
function isTakenBack(row: Row): boolean {
  return row['state'] === 'waiting' && isDelivered(row);
}

/** Its handler may still be running: a consumer is often faster than the return of what has called it. */
function refusalOf(row: Row, delivery: number | undefined): AcknowledgementRefusal | undefined {
  const [state, fence] = [row['state'] as JobState, Number(row['fence'])];
  if (ENDED_STATES.includes(state)) return 'ended';
  if (state === 'running' && Number(row['ack_timeout']) === 0) return 'not manual';
  if (state !== 'running' && !isDelivered(row)) return 'not delivered';
  if (delivery === undefined || delivery === fence) return undefined;
  return delivery < fence ? 'delivered again' : 'not delivered';
}

/** From now on it has its whole time again; one that was taken back was not late after all. */
function rearm({ dialect, names }: QueueTables, id: number, row: Row): Statement {
  const retries = isTakenBack(row) ? 'retries - 1' : 'retries';
  return statement(
    `UPDATE ${names.job} SET state = 'scheduled', due = ${dialect.now} + ack_timeout, retries = ${retries} WHERE ${SAME}`,
    sameAs(id, row),
  );
}

/** `false`: it is not as it was any more. */
function* end(
  tables: QueueTables,
  id: number,
  row: Row,
  { kind, result, error }: AcknowledgeRequest,
  retention: Retention,
): Script<boolean> {
  const state = kind === 'finish' ? 'succeeded' : 'failed';
  const reason = state === 'failed' ? 'error' : undefined;
  const keep = Number(row[`keep_${state}`] ?? retention[state]);
  const { affected } = yield endJob(tables, id, row, { state, keep, result, error });
  // Not every caller's connection tells how many rows a statement has changed.
  if (affected === 0 && !(yield* isNow(tables, id, row, state))) return false;
  yield endAttempt(tables, id, row, { outcome: state, reason, error });
  if (keep > 0) return true;
  yield deleteEnded(tables, [id]);
  yield deleteSteps(tables, [id]);
  return true;
}

function* isNow(tables: QueueTables, id: number, { fence }: Row, state: string): Script<boolean> {
  const found = (yield lockJob(tables, id)).rows[0];
  return found?.['state'] === state && Number(found['fence']) === Number(fence);
}

interface JobEnd extends Pick<AcknowledgeRequest, 'result' | 'error'> {
  readonly state: 'succeeded' | 'failed';
  readonly keep: number;
}

function endJob(
  { dialect, names }: QueueTables,
  id: number,
  row: Row,
  { state, keep, result, error }: JobEnd,
): Statement {
  const columns: Record<string, string> = {
    state: '?',
    // What the handler of this delivery has returned; before its return, the column may hold what an earlier one has.
    result: state === 'succeeded' && isDelivered(row) ? 'COALESCE(?, result)' : '?',
    last_error: 'COALESCE(?, last_error)',
    expires_at: `${dialect.now} + ?`,
    node_id: '0',
    started_at: '0',
    finished_at: dialect.now,
    ...KEY_RELEASE,
  };
  const set = Object.entries(columns).map(([column, expression]) => `${column} = ${expression}`);
  const recorded = error === undefined ? null : JSON.stringify(error);
  return statement(`UPDATE ${names.job} SET ${set.join(', ')} WHERE ${SAME}`, [
    state,
    result ?? null,
    recorded,
    keep,
    ...sameAs(id, row),
  ]);
}

/** Also where the row is not locked any more, because the caller's connection commits each statement by itself. */
const SAME = 'id = ? AND fence = ? AND state = ?';

function sameAs(id: number, row: Row): Parameter[] {
  return [id, Number(row['fence']), String(row['state'])];
}
