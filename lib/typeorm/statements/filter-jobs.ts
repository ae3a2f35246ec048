import type { CheckedFilter } from '../../job/job-filter.js';
import type { RetriedBatch } from '../../repository/job-repository.js';
import type { QueueTables } from '../queue-tables.js';
import { statement, type Parameter, type Row, type Script, type Statement } from '../statement.js';

/** The newest first: a page begins below the last id of the one before. */
export function selectPage(
  tables: QueueTables,
  filter: CheckedFilter,
  limit: number,
  before: string | undefined,
): Statement {
  const where = conditions(tables, filter);
  if (before !== undefined) where.push(['id < ?', [Number(before)]]);
  return statement(`SELECT * FROM ${tables.names.job} WHERE ${sqlOf(where)} ORDER BY id DESC LIMIT ?`, [
    ...parametersOf(where),
    limit,
  ]);
}

/**
 * Retries a batch of ended jobs, in key order. Small, so that its locks are short. A job whose key has been taken by another one
 * since it ended is left alone.
 */
export function* retryBatch(
  tables: QueueTables,
  filter: CheckedFilter,
  after: string,
  limit: number,
): Script<RetriedBatch> {
  const { dialect, names } = tables;
  const where = conditions(tables, { ...filter, states: filter.states ?? ['failed'] });
  where.push(["state IN ('failed', 'cancelled')", []], ['id > ?', [Number(after)]]);
  const taken = `SELECT 1 FROM ${names.job} k WHERE k.service = j.service AND k.type = j.type AND k.job_key = j.past_key`;
  const { rows } = yield statement(
    `SELECT id, type, past_key, CASE WHEN EXISTS (${taken}) THEN 1 ELSE 0 END AS taken FROM ${names.job} j ` +
      `WHERE ${sqlOf(where)} ORDER BY id LIMIT ?${dialect.skipLocked}`,
    [...parametersOf(where), limit],
  );
  const last = rows.at(-1);
  if (last === undefined) return { retried: 0, last: undefined };
  const free = withoutRivals(rows).map((row) => ({ id: Number(row['id']) }));
  const sql = dialect.joinedUpdate({
    table: names.job,
    source: dialect.rows({ id: 'id' }),
    set: retryColumns(dialect.now, 'j.'),
    on: "j.id = v.id AND j.state IN ('failed', 'cancelled')",
  });
  const { affected } = yield statement(sql, [JSON.stringify(free)]);
  return { retried: affected, last: rows.length < limit ? undefined : String(last['id']) };
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
    finished_at: 'NULL',
    expires_at: 'NULL',
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

type Condition = [sql: string, parameters: Parameter[]];

function conditions({ service }: QueueTables, filter: CheckedFilter): Condition[] {
  const where: Condition[] = [['service = ?', [service]]];
  if (filter.type !== undefined) where.push(['type = ?', [filter.type]]);
  if (filter.states !== undefined)
    where.push([`state IN (${filter.states.map(() => '?').join(', ')})`, [...filter.states]]);
  if (filter.key !== undefined) where.push(['(job_key = ? OR past_key = ?)', [filter.key, filter.key]]);
  if (filter.reference !== undefined) where.push(['reference = ?', [filter.reference]]);
  if (filter.createdFrom !== undefined) where.push(['created_at >= ?', [filter.createdFrom]]);
  if (filter.createdUntil !== undefined) where.push(['created_at < ?', [filter.createdUntil]]);
  return where;
}

function sqlOf(where: readonly Condition[]): string {
  return where.map(([sql]) => sql).join(' AND ');
}

function parametersOf(where: readonly Condition[]): Parameter[] {
  return where.flatMap(([, parameters]) => parameters);
}
