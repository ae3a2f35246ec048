import type { JobRetention } from '../job/job.js';
import type { JobState } from '../job/job-state.js';
import type { Jsonified } from '../job/jsonified.js';
import { optional, optionalDate, optionalNumber, parseJson } from '../typeorm/row.js';
import { stateOf } from '../typeorm/statements/awaiting.js';
import type { JobRow } from './memory/rows.js';

/**
 * A job that was enqueued in a test.
 *
 * @publicApi
 */
export interface EnqueuedTestJob<Payload = unknown> {
  readonly id: string;
  readonly type: string;
  readonly payload: Payload;
  /** Of now; of a job that was deleted with its end, the last one. */
  readonly state: JobState;
  /** Milliseconds from the enqueue to its first due time. */
  readonly delay: number;
  readonly dueAt: Date;
  readonly enqueuedAt: Date;
  readonly priority: number;
  readonly key: string | undefined;
  readonly reference: string | undefined;
  readonly traceId: string | undefined;
  readonly deadline: Date | undefined;
  readonly maxRetries: number | undefined;
  readonly retention: JobRetention;
}

export function toEnqueued<Payload>(row: JobRow): EnqueuedTestJob<Jsonified<Payload>> {
  return {
    id: String(row.id),
    type: row.type,
    payload: parseJson(row.first_payload) as Jsonified<Payload>,
    state: stateOf(row),
    delay: row.first_due - row.created_at,
    dueAt: new Date(row.first_due),
    enqueuedAt: new Date(row.created_at),
    priority: row.priority,
    key: optional(row.job_key) ?? optional(row.past_key),
    reference: optional(row.reference),
    traceId: optional(row.trace_id),
    deadline: optionalDate(row.first_deadline),
    maxRetries: optionalNumber(row.max_retries),
    retention: row.first_retention,
  };
}
