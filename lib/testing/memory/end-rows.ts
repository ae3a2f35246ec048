import type { Attempt } from '../../job/attempt.js';
import type { Settlement } from '../../job/settlement.js';
import type { NotedJob } from '../../repository/job-repository.js';
import type { MemoryStore } from './memory-store.js';
import type { AttemptRow, JobRow } from './rows.js';

/** Ends claims; answers those that are not these claims any more. Sent twice, it changes nothing more. */
export function settleRows(store: MemoryStore, settlements: readonly Settlement[], node: string): Settlement[] {
  for (const settlement of settlements) settleRow(store, settlement, node);
  const over = settlements.filter((settlement) => !isWritten(store, settlement));
  const lost = over.filter((settlement) => !settlement.manual || isOvertaken(store, settlement));
  // Not before: that would look as if a manual job of the same batch had been acknowledged.
  for (const settlement of settlements) {
    const row = settlement.keep === 0 && !over.includes(settlement) ? store.jobs.get(Number(settlement.id)) : undefined;
    if (row !== undefined) deleteEnded(store, row);
  }
  return lost;
}

function settleRow(store: MemoryStore, settlement: Settlement, node: string): void {
  const { id, fence, state, delay, keep, attempt, notes } = settlement;
  if (notes !== undefined) noteRow(store, { id, fence, notes });
  const row = store.held(settlement);
  if (row === undefined) return;
  const { now } = store;
  const isEnd = state === 'succeeded' || state === 'failed';
  if (delay !== undefined) row.due = now + delay;
  row.state = state;
  row.retries += settlement.usesRetry ? 1 : 0;
  row.result = settlement.result ?? null;
  row.last_error = attempt?.error === undefined ? row.last_error : JSON.stringify(attempt.error);
  row.finished_at = isEnd ? now : 0;
  row.expires_at = keep === undefined ? 0 : now + keep;
  row.delivered_at = attempt?.outcome === 'delivered' ? now : 0;
  Object.assign(row, { node_id: 0, started_at: 0 });
  if (isEnd) releaseKey(row);
  if (attempt !== undefined) store.addAttempt(toAttempt(store, row, settlement, attempt, node));
}

/** The row is as this very settlement leaves it. */
function isWritten({ jobs }: MemoryStore, { id, fence, state }: Settlement): boolean {
  const row = jobs.get(Number(id));
  return row?.fence === fence && row.state === state;
}

/** A job that has ended under its claim, or was deleted with its end, was acknowledged before its handler returned: nothing was lost. */
function isOvertaken({ jobs }: MemoryStore, { id, fence }: Settlement): boolean {
  const row = jobs.get(Number(id));
  return row !== undefined && row.fence !== fence;
}

function toAttempt(
  { now }: MemoryStore,
  { id, service }: JobRow,
  { fence }: Settlement,
  end: NonNullable<Settlement['attempt']>,
  node: string,
): AttemptRow {
  const before = (time: number) => now - Math.max(0, Math.round(performance.now() - time));
  return {
    job_id: id,
    fence,
    service,
    node,
    attempt: end.attempt,
    started_at: end.startedAt === undefined ? null : before(end.startedAt),
    ended_at: before(end.endedAt),
    outcome: end.outcome,
    reason: end.reason ?? null,
    error: end.error === undefined ? null : JSON.stringify(end.error),
  };
}

/** Progress and log lines of a claim that is still held; those of one that is over are dropped. */
export function noteRow(store: MemoryStore, { id, fence, notes }: NotedJob): void {
  const row = store.held({ id, fence });
  if (row === undefined) return;
  row.progress = notes.progress ?? row.progress;
  for (const { line, at, message } of notes.lines) {
    const isKnown = store.logs.some((log) => log.job_id === row.id && log.fence === fence && log.line === line);
    const logged_at = store.now - Math.round(performance.now() - at);
    if (!isKnown) store.logs.push({ job_id: row.id, fence, line, logged_at, message });
  }
}

/** A key of scope 'open' is free again when its job ends; it is kept for people. */
export function releaseKey(row: JobRow): void {
  if (row.key_scope !== 'open') return;
  row.past_key = row.job_key ?? row.past_key;
  row.job_key = null;
}

/** A key of scope 'forever' needs its row for ever. */
export function deleteEnded(store: MemoryStore, row: JobRow): void {
  if (row.key_scope !== 'forever') store.jobs.delete(row.id);
  store.deleteSteps(row.id);
}

/** Whether the latest claim has got as far as its handler. */
export function hasBegun({ started_at, delivered_at }: JobRow): boolean {
  return started_at > 0 || delivered_at > 0;
}

/** Writes how the latest attempt has ended, if that is somebody else's doing than its handler's. */
export function endAttempt(
  store: MemoryStore,
  row: JobRow,
  { outcome, reason, error }: Pick<Attempt, 'outcome' | 'reason' | 'error'>,
): void {
  const end = { outcome, reason: reason ?? null, ended_at: store.now };
  const recorded = error === undefined ? null : JSON.stringify(error);
  if (row.delivered_at > 0) {
    const delivered = store.attempts.find(({ job_id, fence }) => job_id === row.id && fence === row.fence);
    if (delivered !== undefined) Object.assign(delivered, { ...end, error: recorded ?? delivered.error });
    return;
  }
  store.addAttempt({
    job_id: row.id,
    fence: row.fence,
    service: row.service,
    attempt: row.retries + 1,
    node: nameOfNode(store, row),
    started_at: row.started_at === 0 ? null : row.started_at,
    error: recorded,
    ...end,
  });
}

export function nameOfNode({ nodes }: MemoryStore, { node_id: id }: JobRow): string {
  return `${nodes.get(id)?.name ?? '?'}#${id}`;
}
