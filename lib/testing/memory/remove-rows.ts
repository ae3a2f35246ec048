import { ENDED_STATES } from '../../job/job-state.js';
import type { CheckedFilter } from '../../job/job-filter.js';
import { stateOf } from '../../typeorm/statements/awaiting.js';
import { isEmptied } from '../../typeorm/statements/prune.js';
import { findRows } from './find-rows.js';
import { keepLastSuccesses } from './late-rows.js';
import type { MemoryStore } from './memory-store.js';
import { pruneJob } from './prune-rows.js';
import type { JobRow } from './rows.js';

/** The next jobs that match and have ended, in the order of their ids. */
export function findRemovable(rows: readonly JobRow[], filter: CheckedFilter, after: string): JobRow[] {
  return findRows(rows, filter, undefined)
    .filter((row) => row.id > Number(after) && hasEnded(row) && !isEmptied(row))
    .sort((a, b) => a.id - b.id);
}

/** Deletes a job that has ended, with all that is kept of it. `false`: it has not. */
export function removeRow(store: MemoryStore, row: JobRow): boolean {
  if (!hasEnded(row)) return false;
  keepLastSuccesses(store, row);
  store.attempts = store.attempts.filter(({ job_id }) => job_id !== row.id);
  store.logs = store.logs.filter(({ job_id }) => job_id !== row.id);
  pruneJob(store, row);
  return true;
}

function hasEnded(row: JobRow): boolean {
  return ENDED_STATES.includes(stateOf(row));
}
