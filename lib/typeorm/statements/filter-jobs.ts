import type { CheckedFilter } from '../../job/job-filter.js';
import type { JobState } from '../../job/job-state.js';
import type { QueueTables } from '../queue-tables.js';
import { AWAITING } from './awaiting.js';
import { hasKey } from './has-key.js';
import { renewSteps } from './plan-steps.js';
import { KEPT } from './prune.js';
import { statement, type Parameter, type Row, type Script, type Statement } from '../statement.js';

const RETRYABLE = "state IN ('failed', 'cancelled')";

/** Not what is left of a job that was pruned or removed: it would run without its payload. */
const KEPT_RETRYABLE = `${RETRYABLE} AND ${KEPT}`;

/** The newest first: a page begins below the last id of the one before. */
export function selectPage(
  tables: QueueTables,
  filter: CheckedFilter,
  limit: number,
  before: string | undefined,
): Statement {
  const where = conditionsIn(tables, filter);
  if (before !== undefined) where.push(['id < ?', [Number(before)]]);
  return statement(`SELECT * FROM ${tables.names.job} WHERE ${sqlOf(where)} ORDER BY id DESC LIMIT ?`, [
    ...parametersOf(where),
    limit,
  ]);
}

/** The next ended jobs that match, in key order. Read without locks: the walk may be long, where few of many jobs match. */
export function selectEnded(tables: QueueTables, filter: CheckedFilter, after: string, limit: number): Statement {
  return selectMatching(tables, retryable(filter), KEPT_RETRYABLE, after, limit);
}

function retryable(filter: CheckedFilter): CheckedFilter {
  return { ...filter, states: filter.states ?? ['failed'] };
}

export function selectMatching(
  tables: QueueTables,
  filter: CheckedFilter,
  which: string,
  after: string,
  limit: number,
): Statement {
  const where = conditionsIn(tables, filter);
  where.push([which, []], ['id > ?', [Number(after)]]);
  const sql = `SELECT id FROM ${tables.names.job} WHERE ${sqlOf(where)} ORDER BY id LIMIT ?`;
  return statement(sql, [...parametersOf(where), limit]);
}

/** Locks those that still match: some have changed since the walk has found them. Past rows that somebody else is changing. */
export function lockMatching(
  { dialect, names }: QueueTables,
  filter: CheckedFilter,
  which: string,
  columns: string,
  ids: readonly number[],
): Statement {
  // Without their service, which an index begins with: a planner that took it would lock other rows than these.
  const where: Condition[] = [[`id IN (${ids.map(() => '?').join(', ')})`, ids], [which, []], ...conditions(filter)];
  const sql = `SELECT ${columns} FROM ${names.job} j WHERE ${sqlOf(where)} ORDER BY id${dialect.skipLocked}`;
  return statement(sql, parametersOf(where));
}

/**
 * Retries those of the jobs that still match and have ended, and answers how many. A job whose key has been taken by another one since it
 * ended is left alone.
 */
export function* retryJobs(tables: QueueTables, filter: CheckedFilter, ids: readonly number[]): Script<number> {
  const { dialect, names } = tables;
  const has = hasKey(dialect, { service: 'j.service', type: 'j.type', key: 'j.past_key' }, 'k.');
  const taken = `SELECT 1 FROM ${names.job} k WHERE ${has}`;
  const columns = `id, type, past_key, CASE WHEN EXISTS (${taken}) THEN 1 ELSE 0 END AS taken`;
  const { rows } = yield lockMatching(tables, retryable(filter), KEPT_RETRYABLE, columns, ids);
  const sql = dialect.joinedUpdate({
    table: names.job,
    source: dialect.rows({ id: 'id' }),
    set: retryColumns(dialect.now, 'j.'),
    on: `j.id = v.id AND j.${RETRYABLE}`,
  });
  const free = withoutRivals(rows).map((row) => ({ id: Number(row['id']) }));
  if (free.length === 0) return 0;
  const { affected } = yield statement(sql, [JSON.stringify(free)]);
  yield* renewSteps(
    tables,
    free.map(({ id }) => id),
  );
  return affected;
}

/** Everything a job needs to begin anew but its fence and its history, which are never reset. */
export function retryColumns(now: string, row = ''): Record<string, string> {
  return {
    state: "'waiting'",
    due: now,
    retries: '0',
    crashes: '0',
    suspect: '0',
    deadline: 'NULL',
    finished_at: '0',
    expires_at: '0',
    delivered_at: '0',
    job_key: `COALESCE(${row}job_key, ${row}past_key)`,
    past_key: 'NULL',
  };
}

/** Of several ended jobs that had the same key, only the first can have it again. */
function withoutRivals(rows: readonly Row[]): Row[] {
  const seen = new Set<string>();
  return rows.filter((row) => {
    if (Number(row['taken']) > 0) return false;
    const key = row['past_key'] === null ? undefined : JSON.stringify([row['type'], row['past_key']]);
    if (key === undefined) return true;
    return !seen.has(key) && seen.add(key);
  });
}

type Condition = [sql: string, parameters: readonly Parameter[]];

function conditionsIn({ service }: QueueTables, filter: CheckedFilter): Condition[] {
  return [['service = ?', [service]], ...conditions(filter)];
}

function conditions(filter: CheckedFilter): Condition[] {
  const where: Condition[] = [];
  if (filter.type !== undefined) where.push(['type = ?', [filter.type]]);
  if (filter.states !== undefined) where.push(inStates(filter.states));
  if (filter.key !== undefined) where.push(['(job_key = ? OR past_key = ?)', [filter.key, filter.key]]);
  if (filter.reference !== undefined) where.push(['reference = ?', [filter.reference]]);
  if (filter.createdFrom !== undefined) where.push(['created_at >= ?', [filter.createdFrom]]);
  if (filter.createdUntil !== undefined) where.push(['created_at < ?', [filter.createdUntil]]);
  if (filter.finishedUntil !== undefined) where.push(['finished_at > 0 AND finished_at < ?', [filter.finishedUntil]]);
  return where;
}

function inStates(states: readonly JobState[]): Condition {
  const listed = `state IN (${states.map(() => '?').join(', ')})`;
  const [running, scheduled] = [states.includes('running'), states.includes('scheduled')];
  if (running && !scheduled) return [`(${listed} OR ${AWAITING})`, [...states]];
  if (scheduled && !running) return [`(${listed} AND NOT ${AWAITING})`, [...states]];
  return [listed, [...states]];
}

function sqlOf(where: readonly Condition[]): string {
  return where.map(([sql]) => sql).join(' AND ');
}

function parametersOf(where: readonly Condition[]): Parameter[] {
  return where.flatMap(([, parameters]) => parameters);
}
