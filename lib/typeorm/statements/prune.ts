import { ENDED_STATES, type JobState } from '../../job/job-state.js';
import type { QueueTables } from '../queue-tables.js';
import { statement, type Parameter, type Row, type Script, type Statement } from '../statement.js';

/** Of a job that has ended: that its row is there for more than its key of scope 'forever'. */
export const KEPT = "(key_scope <> 'forever' OR expires_at > 0)";

/** What is left of a job when it was pruned or removed: its key. Nothing could run again from that. */
export function isEmptied(row: Row): boolean {
  const hasEnded = ENDED_STATES.includes(row['state'] as JobState);
  return hasEnded && row['key_scope'] === 'forever' && Number(row['expires_at']) === 0;
}

/**
 * Deletes a batch of jobs whose retention has passed, and their steps: small, by key, and past rows that somebody else is working on.
 * Answers how many there were.
 */
export function* pruneJobs(tables: QueueTables, limit: number): Script<number> {
  const { dialect, names, service } = tables;
  const { rows } = yield statement(
    `SELECT id, key_scope FROM ${names.job}${dialect.forceIndex(`${names.job}_expiry`)} ` +
      `WHERE service = ? AND expires_at > 0 AND expires_at <= ${dialect.now} ORDER BY expires_at LIMIT ?${dialect.skipLocked}`,
    [service, limit],
  );
  if (rows.length > 0) yield* deleteJobs(tables, rows);
  return rows.length;
}

/** Rows that are locked, and their steps. One that holds a key of scope 'forever' stays, emptied. */
export function* deleteJobs({ names }: QueueTables, rows: readonly Row[]): Script<void> {
  yield deleteSteps({ names }, idsOf(rows));
  const forever = idsOf(rows.filter((row) => row['key_scope'] === 'forever'));
  const others = idsOf(rows.filter((row) => row['key_scope'] !== 'forever'));
  if (forever.length > 0) {
    const empty = 'payload = NULL, result = NULL, last_error = NULL, progress = NULL, expires_at = 0';
    yield statement(`UPDATE ${names.job} SET ${empty} WHERE id IN (${marks(forever)})`, forever);
  }
  if (others.length > 0) yield statement(`DELETE FROM ${names.job} WHERE id IN (${marks(others)})`, others);
}

export function deleteSteps({ names }: Pick<QueueTables, 'names'>, ids: readonly number[]): Statement {
  return statement(`DELETE FROM ${names.step} WHERE job_id IN (${marks(ids)})`, ids);
}

/** Deletes a batch of attempts that ended longer than `keep` milliseconds ago, and what they have logged. */
export function* pruneHistory({ dialect, names, service }: QueueTables, limit: number, keep: number): Script<number> {
  const { rows } = yield statement(
    `SELECT job_id, fence FROM ${names.attempt}${dialect.forceIndex(`${names.attempt}_end`)} ` +
      `WHERE service = ? AND ended_at <= ${dialect.now} - ? ORDER BY ended_at LIMIT ?${dialect.skipLocked}`,
    [service, keep, limit],
  );
  if (rows.length === 0) return 0;
  const keys = rows
    .map((row) => [Number(row['job_id']), Number(row['fence'])] as const)
    .sort(([a, x], [b, y]) => a - b || x - y)
    .flat();
  const pairs = rows.map(() => '(?, ?)').join(', ');
  yield statement(`DELETE FROM ${names.log} WHERE (job_id, fence) IN (${valuesOf(dialect.name, pairs)})`, keys);
  yield statement(`DELETE FROM ${names.attempt} WHERE (job_id, fence) IN (${valuesOf(dialect.name, pairs)})`, keys);
  return rows.length;
}

/** Deletes nodes that ended more than a day ago and hold no job. */
export function* pruneNodes({ dialect, names, service }: QueueTables): Script<number> {
  const held = `SELECT 1 FROM ${names.job} j WHERE j.service = ? AND j.state = 'running' AND j.node_id = ${names.node}.id`;
  const { affected } = yield statement(
    `DELETE FROM ${names.node} WHERE service = ? AND state <> 'alive' AND expires_at < ${dialect.now} - 86400000 AND NOT EXISTS (${held})`,
    [service, service],
  );
  return affected;
}

function idsOf(rows: readonly Row[]): number[] {
  return rows.map((row) => Number(row['id'])).sort((a, b) => a - b);
}

function marks(parameters: readonly Parameter[]): string {
  return parameters.map(() => '?').join(', ');
}

/** SQLite compares row values with a table, not with a list. */
export function valuesOf(dialect: string, pairs: string): string {
  return dialect === 'sqlite' ? `VALUES ${pairs}` : pairs;
}
