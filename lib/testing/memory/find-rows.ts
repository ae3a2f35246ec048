import { CHANGEABLE } from '../../job/job-change.js';
import type { CheckedFilter } from '../../job/job-filter.js';
import { stateOf } from '../../typeorm/statements/awaiting.js';
import { isEmptied } from '../../typeorm/statements/prune.js';
import { beginAnew, isTaken } from './change-rows.js';
import type { MemoryStore } from './memory-store.js';
import type { JobRow } from './rows.js';
import { renewSteps } from './step-rows.js';

/** The newest first: a page begins below the last id of the one before. */
export function findRows(rows: readonly JobRow[], filter: CheckedFilter, before: string | undefined): JobRow[] {
  return rows
    .filter((row) => matches(row, filter) && (before === undefined || row.id < Number(before)))
    .sort((a, b) => b.id - a.id);
}

/** The next ended jobs that match, in the order of their ids. */
export function findEnded(rows: readonly JobRow[], filter: CheckedFilter, after: string): JobRow[] {
  const states = filter.states ?? ['failed'];
  return rows
    .filter((row) => isRetryable(row) && matches(row, { ...filter, states }) && row.id > Number(after))
    .sort((a, b) => a.id - b.id);
}

/** A job whose key has been taken by another one since it ended is left alone. Answers those that run again. */
export function retryRows(store: MemoryStore, rows: readonly JobRow[]): JobRow[] {
  return rows.filter((row) => {
    if (!isRetryable(row) || isTaken(store, row)) return false;
    beginAnew(store, row);
    renewSteps(store, row.id);
    return true;
  });
}

function isRetryable(row: JobRow): boolean {
  return CHANGEABLE.retry.includes(stateOf(row)) && !isEmptied(row);
}

function matches(row: JobRow, filter: CheckedFilter): boolean {
  const { type, states, key, reference, createdFrom, createdUntil, finishedUntil } = filter;
  return (
    (type === undefined || row.type === type) &&
    (states === undefined || states.includes(stateOf(row))) &&
    (key === undefined || row.job_key === key || row.past_key === key) &&
    (reference === undefined || row.reference === reference) &&
    (createdFrom === undefined || row.created_at >= createdFrom) &&
    (createdUntil === undefined || row.created_at < createdUntil) &&
    (finishedUntil === undefined || (row.finished_at > 0 && row.finished_at < finishedUntil))
  );
}
