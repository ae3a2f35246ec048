import { KeyTakenError } from '../../errors/key-taken.error.js';
import { CHANGEABLE, type ChangedJob, type JobChange } from '../../job/job-change.js';
import { stateOf } from '../../typeorm/statements/awaiting.js';
import { endAttempt, hasBegun, releaseKey } from './end-rows.js';
import type { MemoryStore } from './memory-store.js';
import type { JobRow } from './rows.js';
import { renewSteps } from './step-rows.js';

/** Does one thing to one job, if its state allows it. */
export function changeRow(store: MemoryStore, row: JobRow, change: JobChange, keep: number): ChangedJob {
  const state = stateOf(row);
  const changed = CHANGEABLE[change].includes(state);
  if (changed) CHANGES[change](store, row, keep);
  return { type: row.type, priority: row.priority, state, changed };
}

const CHANGES: Record<JobChange, (store: MemoryStore, row: JobRow, keep: number) => void> = {
  cancel: (store, row, keep) => {
    if (hasBegun(row)) endAttempt(store, row, { outcome: 'failed', reason: 'cancelled', error: undefined });
    row.fence++;
    Object.assign(row, { state: 'cancelled', node_id: 0, started_at: 0, finished_at: store.now });
    row.expires_at = store.now + (row.keep_failed ?? keep);
    releaseKey(row);
  },
  retry: (store, row) => {
    beginAnew(store, row);
    renewSteps(store, row.id);
  },
  runNow: (store, row) => {
    Object.assign(row, { state: 'waiting', due: Math.min(row.due, store.now) });
  },
};

/** With its key, unless another job has that by now. */
export function beginAnew(store: MemoryStore, row: JobRow): void {
  const key = row.job_key ?? row.past_key;
  if (isTaken(store, row)) {
    const cure = `Another job of '${row.type}' has been enqueued with it since job ${row.id} ended: leave this one as it is.`;
    throw new KeyTakenError(key ?? '', undefined, cure);
  }
  Object.assign(row, { state: 'waiting', due: store.now, retries: 0, crashes: 0, suspect: 0, deadline: null });
  Object.assign(row, { finished_at: 0, expires_at: 0, delivered_at: 0, job_key: key, past_key: null });
}

export function isTaken(store: MemoryStore, row: JobRow): boolean {
  const first = row.past_key === null ? undefined : store.withKey(row.service, row.type, row.past_key);
  return first !== undefined && first !== row;
}
