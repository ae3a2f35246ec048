import { concurrencyKeyOf, UNFILED, type KeySource } from '../../job/concurrency-key.js';
import type { JobLimits } from '../../job/job-limits.js';
import type { ClaimedJob } from '../../job/job.js';
import type { ClaimAnswer, ClaimRequest } from '../../repository/job-repository.js';
import { byBytes } from '../../typeorm/statements/gaps.js';
import { byDue, claimRow, isDue } from './claim-rows.js';
import type { MemoryStore } from './memory-store.js';
import type { JobRow } from './rows.js';
import { hasFreeSlots, rateFreeIn, takeSlots } from './slot-rows.js';

/** Takes due jobs for which there are free slots: the keys in turns, of each its best job. */
export function claimLimited(
  store: MemoryStore,
  service: string,
  request: ClaimRequest,
  limits: JobLimits,
): ClaimAnswer {
  const due = store.jobsOf(service).filter((row) => row.type === request.type && isDue(store, row));
  if (limits.key !== undefined) file(due, limits.key.from);
  const jobs: ClaimedJob[] = [];
  for (;;) {
    const row = nextRow(store, due, limits);
    if (row === undefined) return { jobs, ...leftOf(store, due, limits) };
    if (jobs.length === request.limit) return { jobs, left: 'some', freeIn: undefined };
    due.splice(due.indexOf(row), 1);
    jobs.push(claimRow(store, row, request));
    takeSlots(store, row, limits);
    store.turns.set(turnOf(row), row.concurrency_key);
  }
}

function leftOf(store: MemoryStore, due: readonly JobRow[], limits: JobLimits): Omit<ClaimAnswer, 'jobs'> {
  const [row] = due;
  if (row === undefined) return { left: 'none', freeIn: undefined };
  return { left: 'held back', freeIn: rateFreeIn(store, row, limits) };
}

function file(rows: readonly JobRow[], from: KeySource): void {
  for (const row of rows)
    if (row.concurrency_key === UNFILED) row.concurrency_key = concurrencyKeyOf(from, row.payload);
}

/** Of the first key after the one whose turn it was. */
function nextRow(store: MemoryStore, due: readonly JobRow[], limits: JobLimits): JobRow | undefined {
  const free = due.filter((row) => hasFreeSlots(store, row, limits));
  const keys = [...new Set(free.map((row) => row.concurrency_key))].sort(byBytes);
  const last = free[0] && store.turns.get(turnOf(free[0]));
  const key = keys.find((each) => last !== undefined && byBytes(each, last) > 0) ?? keys[0];
  return free.filter((row) => row.concurrency_key === key).sort((a, b) => b.priority - a.priority || byDue(a, b))[0];
}

function turnOf({ service, type }: JobRow): string {
  return `${service} ${type}`;
}
