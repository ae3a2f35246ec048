import type { AcknowledgedJob, AcknowledgementRefusal, AcknowledgeRequest } from '../../job/acknowledgement.js';
import { ENDED_STATES } from '../../job/job-state.js';
import type { Retention } from '../../options/resolved-options.js';
import { stateOf } from '../../typeorm/statements/awaiting.js';
import { deleteEnded, endAttempt, releaseKey } from './end-rows.js';
import type { MemoryStore } from './memory-store.js';
import type { JobRow } from './rows.js';

/** What a consumer tells about a delivered job. `keep`: for jobs whose claim has not written down how long they are kept. */
export function acknowledgeRow(
  store: MemoryStore,
  row: JobRow,
  request: AcknowledgeRequest,
  keep: Retention,
): AcknowledgedJob {
  const job = { type: row.type, attempt: row.retries + (isTakenBack(row) ? 0 : 1) };
  const reason = refusalOf(row, request.delivery);
  if (reason !== undefined) return { ...job, accepted: false, state: stateOf(row), reason };
  if (request.kind === 'processing') {
    if (row.delivered_at > 0) rearm(store, row);
    return { ...job, accepted: true, state: 'running', reason };
  }
  const state = request.kind === 'finish' ? 'succeeded' : 'failed';
  end(store, row, state, request, keep);
  return { ...job, accepted: true, state, reason };
}

/** Not acknowledged in time, and not handled again yet. */
function isTakenBack({ state, delivered_at }: JobRow): boolean {
  return state === 'waiting' && delivered_at > 0;
}

function refusalOf(row: JobRow, delivery: number | undefined): AcknowledgementRefusal | undefined {
  if (ENDED_STATES.includes(row.state)) return 'ended';
  if (row.state === 'running' && row.ack_timeout === 0) return 'not manual';
  if (row.state !== 'running' && row.delivered_at === 0) return 'not delivered';
  if (delivery === undefined || delivery === row.fence) return undefined;
  return delivery < row.fence ? 'delivered again' : 'not delivered';
}

/** From now on it has its whole time again; one that was taken back was not late after all. */
function rearm(store: MemoryStore, row: JobRow): void {
  row.retries -= isTakenBack(row) ? 1 : 0;
  Object.assign(row, { state: 'scheduled', due: store.now + row.ack_timeout });
}

function end(
  store: MemoryStore,
  row: JobRow,
  state: 'succeeded' | 'failed',
  { result, error }: AcknowledgeRequest,
  retention: Retention,
): void {
  const keep = row[`keep_${state}`] ?? retention[state];
  endAttempt(store, row, { outcome: state, reason: state === 'failed' ? 'error' : undefined, error });
  // What the handler of this delivery has returned; before its return, the column may hold what an earlier one has.
  const returned = state === 'succeeded' && row.delivered_at > 0 ? row.result : null;
  row.result = result ?? returned;
  row.last_error = error === undefined ? row.last_error : JSON.stringify(error);
  Object.assign(row, { state, node_id: 0, started_at: 0, finished_at: store.now, expires_at: store.now + keep });
  releaseKey(row);
  if (keep === 0) deleteEnded(store, row);
}
