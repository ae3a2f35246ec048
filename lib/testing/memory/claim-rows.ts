import { UNFILED } from '../../job/concurrency-key.js';
import type { ClaimedJob } from '../../job/job.js';
import type { ClaimRequest, RescuedJob } from '../../repository/job-repository.js';
import { optional, optionalNumber } from '../../typeorm/row.js';
import { endAttempt, releaseKey } from './end-rows.js';
import type { MemoryStore } from './memory-store.js';
import type { JobRow } from './rows.js';

/** In the order in which jobs of one level are claimed. */
export function byDue(a: JobRow, b: JobRow): number {
  return a.due - b.due || a.id - b.id;
}

export function isDue(store: MemoryStore, { state, due, hidden }: JobRow): boolean {
  return state === 'waiting' && due <= store.now && !hidden;
}

/** What a claim of a type without concurrency keys reads. */
export function dueUnfiled(store: MemoryStore, service: string, type: string): JobRow[] {
  const isMeant = (row: JobRow) => row.type === type && row.concurrency_key === UNFILED && isDue(store, row);
  return store.jobsOf(service).filter(isMeant);
}

/** Whether it waits under a concurrency key. */
export function isFiled({ state, concurrency_key: key }: JobRow): boolean {
  return state === 'waiting' && key !== UNFILED;
}

/** Gives a row to a node. */
export function claimRow(
  store: MemoryStore,
  row: JobRow,
  request: Omit<ClaimRequest, 'limit' | 'priority'>,
): ClaimedJob {
  const { node, maxCrashes, deadline, manual } = request;
  Object.assign(row, { state: 'running', node_id: Number(node), started_at: 0, max_crashes: maxCrashes });
  Object.assign(row, { ack_timeout: manual?.ackTimeout ?? 0, delivered_at: 0 });
  row.fence++;
  row.deadline ??= deadline === undefined ? null : row.due + deadline;
  row.keep_succeeded ??= manual?.retention.succeeded ?? null;
  row.keep_failed ??= manual?.retention.failed ?? null;
  return {
    id: String(row.id),
    fence: row.fence,
    type: row.type,
    priority: row.priority,
    payload: row.payload,
    key: optional(row.job_key),
    reference: optional(row.reference),
    traceId: optional(row.trace_id),
    due: row.due,
    created: row.created_at,
    deadline: optionalNumber(row.deadline),
    retries: row.retries,
    maxRetries: row.max_retries ?? undefined,
    retention: { succeeded: optionalNumber(row.keep_succeeded), failed: optionalNumber(row.keep_failed) },
    crashes: row.crashes,
    suspect: row.suspect > 0,
    now: store.now,
  };
}

/** Takes a running job away from its node, as a rescuer does: see `Rescuer`. */
export function rescueRow(store: MemoryStore, row: JobRow, keep: number): RescuedJob {
  const hasStarted = row.started_at > 0;
  const isBlamed = row.suspect > 0 && hasStarted;
  row.crashes += isBlamed ? 1 : 0;
  const fails = isBlamed && row.crashes >= row.max_crashes;
  const error = crashError(row.crashes, fails);
  if (hasStarted)
    endAttempt(store, { ...row, delivered_at: 0 }, { outcome: fails ? 'failed' : 'crashed', reason: 'crash', error });
  const token = { id: String(row.id), fence: row.fence, type: row.type };
  row.fence++;
  Object.assign(row, { node_id: 0, started_at: 0, suspect: 1, state: fails ? 'failed' : 'waiting' });
  if (hasStarted) row.last_error = JSON.stringify(error);
  if (!fails) return { ...token, state: 'waiting' };
  row.finished_at = store.now;
  row.expires_at = store.now + (row.keep_failed ?? keep);
  releaseKey(row);
  return { ...token, state: 'failed' };
}

function crashError(crashes: number, fails: boolean) {
  const message = fails
    ? `The process died with this job for the ${crashes}. time after a first crash (maxCrashes ${crashes}).`
    : 'The process died, or its heartbeat was missing, while this job was running.';
  return { name: 'CrashError', message };
}

/** Due scheduled jobs become waiting ones, and so do delivered ones that nobody has acknowledged in time. */
export function promoteRow(row: JobRow): void {
  row.state = 'waiting';
  if (row.delivered_at === 0) return;
  row.retries++;
  const message = `Delivery ${row.fence} was not acknowledged within ${row.ack_timeout} ms (ackTimeout).`;
  row.last_error = JSON.stringify({ name: 'AcknowledgementTimeout', message });
}
