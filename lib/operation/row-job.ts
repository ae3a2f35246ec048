import type { RegisteredHandler } from '../handler/registered-handler.js';
import type { ClaimedJob } from '../job/job.js';
import type { OperationJob, RetriedJob, SettledJob } from '../job/operation.js';
import { releaseOf, type Settlement } from '../job/settlement.js';
import type { RowPast } from './row-book.js';

interface ClaimFacts {
  readonly handler: RegisteredHandler;
  readonly fence: number;
  /** The database's clock. */
  readonly now: number;
}

/** A row as the worker pool takes it. */
export function toClaim(row: OperationJob, past: RowPast, { handler, fence, now }: ClaimFacts): ClaimedJob {
  const due = row.dueAt?.getTime() ?? now;
  const { deadline } = handler.options;
  return {
    id: String(row.id),
    fence,
    type: handler.type,
    payload: null,
    priority: 0,
    key: undefined,
    reference: row.reference,
    traceId: row.traceId,
    due,
    created: due,
    deadline: deadline === undefined || row.dueAt === undefined ? undefined : due + deadline,
    ...past,
    maxRetries: undefined,
    retention: { succeeded: undefined, failed: undefined },
    now,
  };
}

export function runsAgain({ attempt }: Settlement): boolean {
  return attempt?.outcome === 'retried' || attempt?.outcome === 'continued';
}

export function toSettled(row: OperationJob, { state, result, attempt, fence }: Settlement): SettledJob {
  return {
    ...row,
    outcome: state === 'succeeded' ? 'succeeded' : 'failed',
    result: result === undefined ? undefined : JSON.parse(result),
    error: state === 'failed' ? attempt?.error : undefined,
    attempt: attempt?.attempt ?? 1,
    fence,
  };
}

export function toRetried(row: OperationJob, { delay, attempt, fence }: Settlement): RetriedJob {
  return {
    ...row,
    outcome: attempt?.outcome === 'retried' ? 'retried' : 'continued',
    error: attempt?.error,
    attempt: attempt?.attempt ?? 1,
    delay: delay ?? 0,
    fence,
  };
}

/** Its process has died with it too often. */
export function concludeCrashed(claim: ClaimedJob): Settlement {
  const message = `The process died with this row for the ${claim.crashes}. time after a first crash (maxCrashes).`;
  const error = { name: 'CrashError', message };
  const end = { startedAt: undefined, endedAt: performance.now(), outcome: 'failed', reason: 'crash', error } as const;
  return { ...releaseOf(claim, { attempt: claim.retries + 1, ...end }), state: 'failed' };
}
