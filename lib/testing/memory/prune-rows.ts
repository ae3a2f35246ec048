import { isEmptied } from '../../typeorm/statements/prune.js';
import type { MemoryStore } from './memory-store.js';
import type { JobRow } from './rows.js';

const NODES_KEPT = 86_400_000;

/** Deletes what has been kept for long enough; answers how many jobs or attempts, whichever are more. */
export function pruneRows(store: MemoryStore, service: string, limit: number, keepHistory: number): number {
  const { now } = store;
  const expired = store
    .jobsOf(service)
    .filter(({ expires_at }) => expires_at > 0 && expires_at <= now)
    .sort((a, b) => a.expires_at - b.expires_at)
    .slice(0, limit);
  for (const row of expired) pruneJob(store, row);
  const old = store.attempts
    .filter((attempt) => attempt.service === service && attempt.ended_at <= now - keepHistory)
    .sort((a, b) => a.ended_at - b.ended_at)
    .slice(0, limit);
  const keys = new Set(old.map(({ job_id, fence }) => `${job_id}:${fence}`));
  store.attempts = store.attempts.filter(({ job_id, fence }) => !keys.has(`${job_id}:${fence}`));
  store.logs = store.logs.filter(({ job_id, fence }) => !keys.has(`${job_id}:${fence}`));
  pruneNodes(store, service);
  return Math.max(expired.length, old.length);
}

/** Not what is left of one that was pruned or removed. */
export function keptJob(store: MemoryStore, service: string, id: string): JobRow | undefined {
  const row = store.job(service, id);
  return row && isEmptied(row) ? undefined : row;
}

/** A row that holds a key of scope 'forever' stays, emptied. */
export function pruneJob(store: MemoryStore, row: JobRow): void {
  store.deleteSteps(row.id);
  if (row.key_scope !== 'forever') store.jobs.delete(row.id);
  else Object.assign(row, { payload: null, result: null, last_error: null, progress: null, expires_at: 0 });
}

function pruneNodes(store: MemoryStore, service: string): void {
  const holders = new Set(store.jobsOf(service).map(({ node_id }) => node_id));
  for (const node of store.nodes.values()) {
    const isOld = node.state !== 'alive' && node.expires_at < store.now - NODES_KEPT;
    if (node.service === service && isOld && !holders.has(node.id)) store.nodes.delete(node.id);
  }
}
