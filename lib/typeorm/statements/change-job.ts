import { KeyTakenError } from '../../errors/key-taken.error.js';
import { CHANGEABLE, type ChangedJob, type JobChange } from '../../job/job-change.js';
import type { QueueTables } from '../queue-tables.js';
import { statement, type Parameter, type Row, type Script } from '../statement.js';
import { stateOf } from './awaiting.js';
import { endAttempt, hasBegun } from './end-attempt.js';
import { retryColumns } from './filter-jobs.js';
import { renewSteps } from './plan-steps.js';
import { isEmptied } from './prune.js';

/** Does one thing to one job, if its state allows it. `undefined`: there is no such job. */
export function* changeJob(
  tables: QueueTables,
  id: number,
  change: JobChange,
  keep: number,
): Script<ChangedJob | undefined> {
  const { dialect, names, service } = tables;
  const nodeName = `SELECT n.name FROM ${names.node} n WHERE n.id = node_id`;
  const { rows } = yield statement(
    `SELECT type, priority, state, fence, retries, node_id, (${nodeName}) AS node_name, started_at, delivered_at, key_scope, expires_at, past_key FROM ${names.job} ` +
      `WHERE id = ? AND service = ?${dialect.lockRow}`,
    [id, service],
  );
  const row = rows[0];
  if (row === undefined || isEmptied(row)) return undefined;
  const state = stateOf(row);
  const changed = CHANGEABLE[change].includes(state);
  if (changed) {
    if (change === 'cancel' && hasBegun(row))
      yield endAttempt(tables, id, row, { outcome: 'failed', reason: 'cancelled', error: undefined });
    yield* writeJob(tables, id, columnsOf(change, dialect.now), change === 'cancel' ? [keep] : [], row);
    if (change === 'retry') yield* renewSteps(tables, [id]);
  }
  return { type: row['type'] as string, priority: Number(row['priority']), state, changed };
}

/** Writes a row that is locked; with its key, unless another job has that by now. */
export function* writeJob(
  { dialect, names }: QueueTables,
  id: number,
  columns: Record<string, string>,
  parameters: readonly Parameter[],
  row: Row,
): Script<void> {
  const set = Object.entries(columns).map(([column, expression]) => `${column} = ${expression}`);
  try {
    yield statement(`UPDATE ${names.job} SET ${set.join(', ')} WHERE id = ?`, [...parameters, id]);
  } catch (error) {
    if (!dialect.isDuplicate(error)) throw error;
    const cure = `Another job of '${row['type'] as string}' has been enqueued with it since job ${id} ended: leave this one as it is.`;
    throw new KeyTakenError(row['past_key'] as string, undefined, cure);
  }
}

function columnsOf(change: JobChange, now: string): Record<string, string> {
  if (change === 'retry') return retryColumns(now);
  // One that is waiting already keeps its place.
  if (change === 'runNow') return { state: "'waiting'", due: `CASE WHEN due < ${now} THEN due ELSE ${now} END` };
  return {
    state: "'cancelled'",
    // Whoever runs it has lost it with this: a late result is dropped, and the next beat tells its handler.
    fence: 'fence + 1',
    node_id: '0',
    started_at: '0',
    finished_at: now,
    expires_at: `${now} + COALESCE(keep_failed, ?)`,
    ...KEY_RELEASE,
  };
}

/** A key of scope 'open' is free again when its job ends; it is kept for people. In this order: SET runs from left to right. */
export const KEY_RELEASE = {
  past_key: "CASE WHEN key_scope = 'open' THEN job_key ELSE past_key END",
  job_key: "CASE WHEN key_scope = 'open' THEN NULL ELSE job_key END",
};
