import { KeyTakenError } from '../../errors/key-taken.error.js';
import type { EnqueuedJob, NewJob } from '../../job/job.js';
import type { MemoryStore } from './memory-store.js';
import type { JobRow } from './rows.js';

/** Of a job that nobody has claimed yet. */
const UNTOUCHED = {
  past_key: null,
  finished_at: 0,
  delivered_at: 0,
  ack_timeout: 0,
  retries: 0,
  crashes: 0,
  max_crashes: 0,
  suspect: 0,
  fence: 0,
  node_id: 0,
  started_at: 0,
  result: null,
  progress: null,
  last_error: null,
  expires_at: 0,
  hidden: true,
} as const;

/** Answers in the order given; all are there, or none is. They are hidden: whoever commits them shows them. */
export function insertRows(store: MemoryStore, service: string, jobs: readonly NewJob[]) {
  const created: JobRow[] = [];
  try {
    const answers = jobs.map((job): EnqueuedJob => {
      const first = job.key === undefined ? undefined : store.withKey(service, job.type, job.key);
      if (first !== undefined) return refuseOther(first, job);
      const row = toRow(store, service, job);
      store.add(row);
      created.push(row);
      return { id: String(row.id), created: true };
    });
    return { answers, created };
  } catch (error) {
    for (const row of created) store.undoAdd(row);
    throw error;
  }
}

function refuseOther({ id, payload }: JobRow, { key = '', type, ...job }: NewJob): EnqueuedJob {
  if (job.refusesOtherPayload && payload !== job.payload) {
    const cure = `Job ${id} of '${type}' has it, with another payload: give another key, or look at that job.`;
    throw new KeyTakenError(key, String(id), cure);
  }
  return { id: String(id), created: false };
}

function toRow(store: MemoryStore, service: string, job: NewJob): JobRow {
  const { now } = store;
  if (!(job.priority >= 0 && job.priority <= 9))
    throw new RangeError(`The priority ${job.priority} is not from 0 to 9.`);
  const due = 'delay' in job.due ? now + job.due.delay : Math.max(now, job.due.at);
  return {
    id: store.nextId('job'),
    service,
    type: job.type,
    priority: job.priority,
    concurrency_key: job.concurrencyKey,
    key_scope: job.keyScope,
    reference: job.reference ?? null,
    trace_id: job.traceId ?? null,
    max_retries: job.maxRetries ?? null,
    created_at: now,
    first_due: due,
    first_payload: job.payload,
    first_deadline: job.deadline ?? null,
    first_retention: job.retention,
    state: due > now ? 'scheduled' : 'waiting',
    due,
    payload: job.payload,
    job_key: job.key ?? null,
    deadline: job.deadline ?? null,
    keep_succeeded: job.retention.succeeded ?? null,
    keep_failed: job.retention.failed ?? null,
    ...UNTOUCHED,
  };
}
