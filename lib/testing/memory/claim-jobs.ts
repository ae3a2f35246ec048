import { concurrencyKeyOf, UNFILED, type KeySource } from '../../job/concurrency-key.js';
import type { JobLimits } from '../../job/job-limits.js';
import type { ClaimedJob } from '../../job/job.js';
import type { ClaimAnswer, ClaimRequest } from '../../repository/job-repository.js';
import { byBytes } from '../../typeorm/statements/gaps.js';
import { byDue, claimRow, dueUnfiled, isDue, isFiled } from './claim-rows.js';
import type { MemoryStore } from './memory-store.js';
import type { JobRow } from './rows.js';
import { hasFreeSlots, rateFreeIn, takeSlots } from './slot-rows.js';

export function claimJobs(store: MemoryStore, service: string, request: ClaimRequest): ClaimAnswer {
  const { node, limits } = request;
  if (store.nodes.get(Number(node))?.state !== 'alive') return { jobs: [], left: 'none', freeIn: undefined };
  return limits === undefined ? claimLevel(store, service, request) : claimLimited(store, service, request, limits);
}

function claimLevel(store: MemoryStore, service: string, request: ClaimRequest): ClaimAnswer {
  const { type, priority, limit } = request;
  const level = dueUnfiled(store, service, type).filter((row) => row.priority === priority);
  const due = level.sort(byDue).slice(0, limit);
  const left = due.length < limit ? 'none' : 'some';
  return { jobs: due.map((row) => claimRow(store, row, request)), left, freeIn: undefined };
}

/** Takes due jobs for which there are free slots: the keys in turns, of each its best job. */
function claimLimited(store: MemoryStore, service: string, request: ClaimRequest, limits: JobLimits): ClaimAnswer {
  const { now } = store;
  const { type, limit } = request;
  const ofKeys = byKey(
    limits.key === undefined ? dueUnfiled(store, service, type) : dueFiled(store, service, type, limits.key.from),
  );
  const jobs: ClaimedJob[] = [];
  for (;;) {
    const row = nextRow(store, ofKeys, limits);
    if (row === undefined) return { jobs, ...leftOf(store, ofKeys, limits, now) };
    if (jobs.length === limit) return { jobs, left: 'some', freeIn: undefined };
    ofKeys.get(row.concurrency_key)?.shift();
    jobs.push(claimRow(store, row, request));
    takeSlots(store, row, limits);
    store.turns.set(turnOf(row), row.concurrency_key);
  }
}

/** Of each key its due jobs, the best ones first. */
function byKey(rows: readonly JobRow[]): Map<string, JobRow[]> {
  const inOrder = rows.toSorted((a, b) => b.priority - a.priority || byDue(a, b));
  const keys = [...new Set(rows.map((row) => row.concurrency_key))].sort(byBytes);
  const ofKeys = new Map<string, JobRow[]>(keys.map((key) => [key, []]));
  for (const row of inOrder) ofKeys.get(row.concurrency_key)?.push(row);
  return ofKeys;
}

/** Of the first key after the one whose turn it was. */
function nextRow(store: MemoryStore, ofKeys: ReadonlyMap<string, JobRow[]>, limits: JobLimits): JobRow | undefined {
  const first = [...ofKeys.values()].flatMap(([best]) => (best === undefined ? [] : [best]));
  const last = first[0] && store.turns.get(turnOf(first[0]));
  const later = first.findIndex((row) => last !== undefined && byBytes(row.concurrency_key, last) > 0);
  const inTurn = [...first.slice(Math.max(0, later)), ...first.slice(0, Math.max(0, later))];
  return inTurn.find((row) => hasFreeSlots(store, row, limits));
}

function leftOf(
  store: MemoryStore,
  ofKeys: ReadonlyMap<string, JobRow[]>,
  limits: JobLimits,
  now: number,
): Omit<ClaimAnswer, 'jobs'> {
  const row = [...ofKeys.values()].flat()[0];
  if (row === undefined) return { left: 'none', freeIn: undefined };
  return { left: 'held back', freeIn: rateFreeIn(store, row, limits, now) };
}

function dueFiled(store: MemoryStore, service: string, type: string, from: KeySource): JobRow[] {
  for (const row of dueUnfiled(store, service, type)) row.concurrency_key = concurrencyKeyOf(from, row.payload);
  return store.jobsOf(service).filter((row) => row.type === type && isDue(store, row));
}

function turnOf({ service, type }: JobRow): string {
  return `${service} ${type}`;
}

/** Of a type without concurrency keys, which would never find them. */
export function unfileJobs(store: MemoryStore, service: string, type: string, limit: number): number {
  const filed = store.jobsOf(service).filter((row) => row.type === type && isFiled(row));
  for (const row of filed.slice(0, limit)) row.concurrency_key = UNFILED;
  return Math.min(filed.length, limit);
}
