import { ENDED_STATES } from '../../job/job-state.js';
import type { CheckedFilter } from '../../job/job-filter.js';
import type { RemovedJob } from '../../repository/job-repository.js';
import type { QueueTables } from '../queue-tables.js';
import { statement, type Row, type Script, type Statement } from '../statement.js';
import { stateOf } from './awaiting.js';
import { lockMatching, selectMatching } from './filter-jobs.js';
import { keepLastSuccesses } from './late-schedules.js';
import { deleteJobs, isEmptied, KEPT } from './prune.js';

const ENDED = `state IN (${ENDED_STATES.map((state) => `'${state}'`).join(', ')})`;

/** What is left of others has been removed already. */
const REMOVABLE = `${ENDED} AND ${KEPT}`;

/** Deletes a job that has ended, with all that is kept of it. `undefined`: there is no such job. */
export function* removeJob(tables: QueueTables, id: number): Script<RemovedJob | undefined> {
  const { dialect, names, service } = tables;
  const { rows } = yield statement(
    `SELECT id, type, state, delivered_at, key_scope, expires_at FROM ${names.job} WHERE id = ? AND service = ?${dialect.lockRow}`,
    [id, service],
  );
  const row = rows[0];
  if (row === undefined || isEmptied(row)) return undefined;
  const state = stateOf(row);
  const removed = ENDED_STATES.includes(state);
  if (removed) yield* removeRows(tables, rows);
  return { state, removed };
}

/** The next jobs that match and have ended, in key order. Read without locks, as those that are retried. */
export function selectRemovable(tables: QueueTables, filter: CheckedFilter, after: string, limit: number): Statement {
  return selectMatching(tables, filter, REMOVABLE, after, limit);
}

/** Removes those of the jobs that still match and have ended, and answers how many. */
export function* removeJobs(tables: QueueTables, filter: CheckedFilter, ids: readonly number[]): Script<number> {
  const { rows } = yield lockMatching(tables, filter, REMOVABLE, 'id, type, key_scope', ids);
  yield* removeRows(tables, rows);
  return rows.length;
}

function* removeRows(tables: QueueTables, rows: readonly Row[]): Script<void> {
  if (rows.length === 0) return;
  const { names } = tables;
  const ids = rows.map((row) => Number(row['id']));
  yield* keepLastSuccesses(tables, [...new Set(rows.map((row) => String(row['type'])))]);
  for (const table of [names.log, names.attempt])
    yield statement(`DELETE FROM ${table} WHERE job_id IN (${ids.map(() => '?').join(', ')})`, ids);
  yield* deleteJobs(tables, rows);
}
