import type { JobNotes } from '../../job/job-notes.js';
import type { Settlement } from '../../job/settlement.js';
import type { QueueTables } from '../queue-tables.js';
import { statement, type Script, type Statement } from '../statement.js';
import { findLost, withoutAcknowledged } from './find-lost.js';
import { holdClaim } from './hold-claim.js';
import { deleteSteps } from './prune.js';
import { recordNotes } from './record-notes.js';

const SETTLED_ROWS = {
  id: 'id',
  fence: 'integer',
  state: 'name',
  delay: 'integer',
  retry: 'integer',
  result: 'text',
  attempt: 'integer',
  started_ago: 'integer',
  ended_ago: 'integer',
  outcome: 'name',
  reason: 'name',
  error: 'text',
  keep: 'integer',
} as const;

/**
 * Ends claims and writes their history in one transaction. A row whose fence has been raised is left alone, and so is its
 * history. Running the same settlements twice changes nothing more: a commit whose answer was lost may be sent again.
 */
export function* settleJobs(tables: QueueTables, settlements: readonly Settlement[], node: string): Script<string[]> {
  const noted = settlements.filter(({ notes }) => notes !== undefined);
  if (noted.length > 0) yield* recordNotes(tables, noted as (Settlement & { notes: JobNotes })[]);
  const rows = JSON.stringify(settlements.map(toRow).sort((a, b) => a.id - b.id));
  const ended = tables.dialect.writesInWith
    ? Number((yield endAndRecord(tables, rows, node, settlements)).rows[0]?.['count'])
    : yield* endThenRecord(tables, rows, node, settlements);
  const over = ended === settlements.length ? [] : yield* findLost(tables, settlements);
  // Before anything is deleted: that would look as if the job had been acknowledged.
  const lost = yield* withoutAcknowledged(tables, over);
  // By claim, not by id: a lost claim of a job may be in one batch with the claim that ends it.
  const unkept = settlements.filter((settlement) => settlement.keep === 0 && !over.includes(settlement));
  if (unkept.length > 0) yield deleteEnded(tables, idsOf(unkept));
  // An earlier claim may have had steps where this one had none.
  const stepped = unkept.filter(({ fence, hasSteps }) => hasSteps || fence > 1);
  if (stepped.length > 0) yield deleteSteps(tables, idsOf(stepped));
  return lost.map(({ id }) => id);
}

/** Whether the settlements are written in one statement, which needs no transaction around it. */
export function areOneStatement({ dialect }: QueueTables, settlements: readonly Settlement[]): boolean {
  return dialect.writesInWith && settlements.every(({ notes, keep }) => notes === undefined && keep !== 0);
}

function* endThenRecord(
  tables: QueueTables,
  rows: string,
  node: string,
  settlements: readonly Settlement[],
): Script<number> {
  const { dialect, names, service } = tables;
  const { affected } = yield statement(updateJobs(tables, dialect.rows(SETTLED_ROWS), settlements), [rows]);
  if (!settlements.some(isAttempt)) return affected;
  // When every row was ours, all of them are locked by this transaction: nothing is left to check.
  const isOurs = `${dialect.joinByKey(names.job)} ON j.id = v.id AND j.fence = v.fence AND j.state = v.state`;
  const ours = `${dialect.rows(SETTLED_ROWS)} v ${affected === settlements.length ? '' : isOurs}`;
  yield statement(insertAttempts(tables, ours), [service, node, rows]);
  return affected;
}

function isAttempt({ attempt }: Settlement): boolean {
  return attempt !== undefined;
}

/** The same in one statement. */
function endAndRecord(tables: QueueTables, rows: string, node: string, settlements: readonly Settlement[]): Statement {
  const { dialect } = tables;
  const ours = 'v JOIN ended j ON j.id = v.id AND j.fence = v.fence';
  return statement(
    `WITH v AS MATERIALIZED (SELECT * FROM ${dialect.rows(SETTLED_ROWS)} AS r), ` +
      `ended AS (${updateJobs(tables, 'v', settlements)} RETURNING j.id, j.fence), ` +
      `recorded AS (${insertAttempts(tables, ours)}) SELECT COUNT(*) AS count FROM ended`,
    [rows, tables.service, node],
  );
}

/**
 * Ends a claim that nobody has ended yet; `false` if somebody has, be it with the same outcome: in a caller's transaction a
 * settlement that is sent again would let the caller's writes be committed again.
 */
export function* settleHeldJob(tables: QueueTables, settlement: Settlement, node: string): Script<boolean> {
  if (!(yield* holdClaim(tables, settlement))) return false;
  const lost = yield* settleJobs(tables, [settlement], node);
  return lost.length === 0;
}

/** A key of scope 'forever' needs its row for ever. */
export function deleteEnded({ names }: QueueTables, ids: readonly number[]): Statement {
  return statement(
    `DELETE FROM ${names.job} WHERE id IN (${ids.map(() => '?').join(', ')}) ` +
      "AND key_scope <> 'forever' AND state IN ('succeeded', 'failed')",
    ids,
  );
}

function idsOf(settlements: readonly Settlement[]): number[] {
  return settlements.map(({ id }) => Number(id)).sort((a, b) => a - b);
}

/** A key of scope 'open' is free again when its job ends; it is kept for people. */
export const RELEASES_KEY = "j.key_scope = 'open' AND v.state IN ('succeeded', 'failed')";

function updateJobs({ dialect, names }: QueueTables, source: string, settlements: readonly Settlement[]): string {
  const delivers = settlements.some(({ attempt }) => attempt?.outcome === 'delivered');
  return dialect.joinedUpdate({
    table: names.job,
    source,
    set: {
      due: `CASE WHEN v.delay IS NULL THEN j.due ELSE ${dialect.now} + v.delay END`,
      state: 'v.state',
      retries: 'j.retries + v.retry',
      node_id: '0',
      started_at: '0',
      finished_at: `CASE WHEN v.state IN ('succeeded', 'failed') THEN ${dialect.now} ELSE 0 END`,
      result: 'v.result',
      last_error: 'COALESCE(v.error, j.last_error)',
      expires_at: `COALESCE(${dialect.now} + v.keep, 0)`,
      past_key: `CASE WHEN ${RELEASES_KEY} THEN j.job_key ELSE j.past_key END`,
      job_key: `CASE WHEN ${RELEASES_KEY} THEN NULL ELSE j.job_key END`,
      ...(delivers ? { delivered_at: `CASE WHEN v.outcome = 'delivered' THEN ${dialect.now} ELSE 0 END` } : {}),
    },
    on: "j.id = v.id AND j.fence = v.fence AND j.state = 'running'",
  });
}

/** `ours`: the settlements, as `v`, whose claims were ended by them. */
function insertAttempts({ dialect, names }: QueueTables, ours: string): string {
  return (
    `INSERT INTO ${names.attempt} (job_id, fence, service, attempt, node, started_at, ended_at, outcome, reason, error) ` +
    `SELECT v.id, v.fence, ?, v.attempt, ?, ${dialect.now} - v.started_ago, ${dialect.now} - v.ended_ago, v.outcome, v.reason, v.error ` +
    `FROM ${ours} WHERE v.outcome IS NOT NULL ${dialect.skipDuplicates('job_id')}`
  );
}

/** Ages, not times: only the database's clock is stored. `undefined` is left out of the JSON and read as NULL. */
function toRow({ id, fence, state, delay, usesRetry, result, keep, attempt }: Settlement) {
  const age = (time: number | undefined) =>
    time === undefined ? undefined : Math.max(0, Math.round(performance.now() - time));
  return {
    id: Number(id),
    fence,
    state,
    delay,
    retry: usesRetry ? 1 : 0,
    result,
    keep,
    attempt: attempt?.attempt,
    started_ago: age(attempt?.startedAt),
    ended_ago: age(attempt?.endedAt),
    outcome: attempt?.outcome,
    reason: attempt?.reason,
    error: attempt?.error === undefined ? undefined : JSON.stringify(attempt.error),
  };
}
