import type { Attempt, AttemptOutcome, AttemptReason } from '../../job/attempt.js';
import { shownConcurrencyKey } from '../../job/concurrency-key.js';
import type { Job } from '../../job/job.js';
import type { JobState } from '../../job/job-state.js';
import type { JobCount, JobLogLine } from '../../repository/job-repository.js';
import type { RecordedError } from '../../support/serialise-error.js';
import type { QueueTables } from '../queue-tables.js';
import { optional, optionalDate, optionalMoment, parseJson } from '../row.js';
import { statement, type Row, type Statement } from '../statement.js';
import { AWAITING, stateOf } from './awaiting.js';
import { byBytes } from './gaps.js';

export function selectJob({ names, service }: QueueTables, id: number): Statement {
  return statement(`SELECT * FROM ${names.job} WHERE id = ? AND service = ?`, [id, service]);
}

export function selectAttempts({ names, service }: QueueTables, id: number): Statement {
  return statement(`SELECT * FROM ${names.attempt} WHERE job_id = ? AND service = ? ORDER BY fence`, [id, service]);
}

export function selectLog({ names, service }: QueueTables, id: number): Statement {
  return statement(
    `SELECT l.fence, l.logged_at, l.message FROM ${names.log} l JOIN ${names.job} j ON j.id = l.job_id ` +
      'WHERE l.job_id = ? AND j.service = ? ORDER BY l.fence, l.line',
    [id, service],
  );
}

export function readLogLine(row: Row): JobLogLine {
  return { fence: Number(row['fence']), at: new Date(Number(row['logged_at'])), message: row['message'] as string };
}

/**
 * Grouped in the order of the index: in another one, InnoDB's databases would collect the groups in a temporary table. The delivered
 * ones are counted twice, because only for them the rows themselves must be read.
 */
export function selectCounts({ dialect, names, service }: QueueTables): Statement {
  const from = `FROM ${names.job}${dialect.forceIndex(`${names.job}_claim`)} WHERE service = ?`;
  return statement(
    `SELECT type, state, COUNT(*) AS count ${from} GROUP BY state, type ` +
      `UNION ALL SELECT type, 'delivered' AS state, COUNT(*) AS count ${from} AND ${AWAITING} GROUP BY type`,
    [service, service],
  );
}

export function readJob(row: Row): Job {
  return {
    id: String(row['id']),
    type: String(row['type']),
    state: stateOf(row),
    payload: parseJson(row['payload']),
    // A delivered job has what its handler returned, which may not become its result.
    result: row['state'] === 'succeeded' ? parseJson(row['result']) : undefined,
    progress: parseJson(row['progress']),
    priority: Number(row['priority']),
    key: optional(row['job_key']) ?? optional(row['past_key']),
    concurrencyKey: shownConcurrencyKey(String(row['concurrency_key'])),
    reference: optional(row['reference']),
    traceId: optional(row['trace_id']),
    dueAt: new Date(Number(row['due'])),
    deadline: optionalDate(row['deadline']),
    createdAt: new Date(Number(row['created_at'])),
    finishedAt: optionalDate(optionalMoment(row['finished_at'])),
    deliveredAt: optionalDate(optionalMoment(row['delivered_at'])),
    retries: Number(row['retries']),
    crashes: Number(row['crashes']),
    fence: Number(row['fence']),
    lastError: parseJson(row['last_error']) as RecordedError | undefined,
  };
}

export function readAttempt(row: Row): Attempt {
  return {
    attempt: Number(row['attempt']),
    fence: Number(row['fence']),
    node: String(row['node']),
    startedAt: optionalDate(row['started_at']),
    endedAt: new Date(Number(row['ended_at'])),
    outcome: row['outcome'] as AttemptOutcome,
    reason: optional(row['reason']) as AttemptReason | undefined,
    error: parseJson(row['error']) as RecordedError | undefined,
  };
}

export function readCounts(rows: readonly Row[]): JobCount[] {
  const counts = new Map<string, JobCount>();
  const add = (type: string, state: JobState, count: number) => {
    const known = counts.get(`${state} ${type}`)?.count ?? 0;
    counts.set(`${state} ${type}`, { type, state, count: known + count });
  };
  for (const row of rows) {
    const [type, state, count] = [String(row['type']), String(row['state']), Number(row['count'])];
    if (state !== 'delivered') add(type, state as JobState, count);
    else {
      add(type, 'scheduled', -count);
      add(type, 'running', count);
    }
  }
  return [...counts.values()]
    .filter(({ count }) => count > 0)
    .sort((a, b) => byBytes(a.type, b.type) || byBytes(a.state, b.state));
}
