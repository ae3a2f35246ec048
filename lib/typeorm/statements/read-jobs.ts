import type { Attempt, AttemptOutcome, AttemptReason } from '../../job/attempt.js';
import type { Job } from '../../job/job.js';
import type { JobState } from '../../job/job-state.js';
import type { JobCount, JobLogLine } from '../../repository/job-repository.js';
import type { RecordedError } from '../../support/serialise-error.js';
import type { QueueTables } from '../queue-tables.js';
import { optional, optionalDate, optionalMoment, parseJson } from '../row.js';
import { statement, type Row, type Statement } from '../statement.js';

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

/** Grouped in the order of the index: in another one, InnoDB's databases would collect the groups in a temporary table. */
export function selectCounts({ dialect, names, service }: QueueTables): Statement {
  return statement(
    `SELECT type, state, COUNT(*) AS count FROM ${names.job}${dialect.forceIndex(`${names.job}_claim`)} ` +
      'WHERE service = ? GROUP BY state, type ORDER BY type, state',
    [service],
  );
}

export function readJob(row: Row): Job {
  return {
    id: String(row['id']),
    type: String(row['type']),
    state: row['state'] as JobState,
    payload: parseJson(row['payload']),
    result: parseJson(row['result']),
    progress: parseJson(row['progress']),
    priority: Number(row['priority']),
    key: optional(row['job_key']) ?? optional(row['past_key']),
    reference: optional(row['reference']),
    traceId: optional(row['trace_id']),
    dueAt: new Date(Number(row['due'])),
    deadline: optionalDate(row['deadline']),
    createdAt: new Date(Number(row['created_at'])),
    finishedAt: optionalDate(optionalMoment(row['finished_at'])),
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

export function readCount(row: Row): JobCount {
  return { type: String(row['type']), state: row['state'] as JobState, count: Number(row['count']) };
}
