import { InvalidPayloadError } from '../errors/invalid-payload.error.js';
import { PermanentJobError } from '../errors/permanent-job.error.js';
import type { AttemptOutcome, AttemptReason } from '../job/attempt.js';
import { retryDelay } from '../job/backoff.js';
import { JobOutcome } from '../job/job-outcome.js';
import { releaseOf, type Settlement } from '../job/settlement.js';
import { serialiseError, type RecordedError } from '../support/serialise-error.js';
import type { Suspension } from '../steps/suspension.js';
import { serialiseJson } from '../support/serialise-json.js';
import type { ActiveJob } from './active-job.js';

/** How long a job waits for a node whose definition can go on with it. */
const INCOMPATIBLE_WAIT = 60_000;

/** What a handler did, before anybody has decided what follows from it. */
export type HandlerEnd = { readonly returned: unknown } | { readonly thrown: unknown; readonly reason: AttemptReason };

/** What follows: retries left, waits, results. No I/O: an outcome is data. */
export function conclude(active: ActiveJob, end: HandlerEnd, maxResultBytes: number): Settlement {
  if ('thrown' in end) return concludeError(active, end.thrown, end.reason);
  if (end.returned instanceof JobOutcome) return concludeOutcome(active, end.returned);
  return concludeSuccess(active, end.returned, maxResultBytes);
}

/** Fails for good, whatever retries are left. */
export function concludeFailure(active: ActiveJob, thrown: unknown, reason: AttemptReason): Settlement {
  return {
    ...base(active, 'failed', reason, serialiseError(thrown)),
    state: 'failed',
    keep: keepFailed(active),
  };
}

/** The attempt has ended between two steps, and what is left is for another one. */
export function concludeSuspension(active: ActiveJob, suspension: Suspension): Settlement {
  switch (suspension.kind) {
    case 'release':
      return concludeRelease(active);
    case 'sleep':
      return concludeContinue(active, suspension.after);
    case 'retry': {
      const { after, reason, error } = suspension;
      return { ...base(active, 'retried', reason, error), state: after > 0 ? 'scheduled' : 'waiting', delay: after };
    }
    case 'fail': {
      const failed = base(active, 'failed', suspension.reason, suspension.error);
      return { ...failed, state: 'failed', keep: keepFailed(active) };
    }
    case 'incompatible':
      return { ...releaseOf(active.job), state: 'scheduled', delay: INCOMPATIBLE_WAIT };
  }
}

/** Given back by a shutdown: the attempt goes into the history and uses up nothing. */
export function concludeRelease(active: ActiveJob): Settlement {
  const released = base(active, 'released', 'released', undefined);
  return active.startedAt === undefined ? { ...released, attempt: undefined } : released;
}

function concludeSuccess(active: ActiveJob, value: unknown, maxResultBytes: number): Settlement {
  const result = serialiseResult(value, maxResultBytes);
  const missing = 'error' in result ? result.error : undefined;
  const json = 'json' in result ? result.json : undefined;
  const { ackTimeout } = active.handler.options;
  if (ackTimeout !== undefined) {
    const delivered = base(active, 'delivered', undefined, missing);
    return { ...delivered, state: 'scheduled', delay: ackTimeout, result: json };
  }
  return {
    ...base(active, 'succeeded', undefined, missing),
    state: 'succeeded',
    keep: active.job.retention.succeeded ?? active.handler.retention.succeeded,
    result: json,
  };
}

function concludeOutcome(active: ActiveJob, outcome: JobOutcome): Settlement {
  if (outcome.kind === 'continue') return concludeContinue(active, outcome.delayFrom(active.now) ?? 0);
  const error = errorOf(outcome);
  return outcome.kind === 'fail'
    ? concludeFailure(active, error, 'error')
    : concludeRetry(active, error, 'error', outcome.delayFrom(active.now));
}

export function errorOf({ reason }: JobOutcome): Error {
  const error = new Error(reason ?? 'The handler returned JobOutcome.retry()');
  error.name = 'JobOutcome';
  delete error.stack;
  return error;
}

function concludeContinue(active: ActiveJob, delay: number): Settlement {
  return { ...base(active, 'continued', undefined, undefined), state: delay > 0 ? 'scheduled' : 'waiting', delay };
}

function concludeError(active: ActiveJob, thrown: unknown, reason: AttemptReason): Settlement {
  if (isPermanent(thrown)) return concludeFailure(active, thrown, 'error');
  return concludeRetry(active, thrown, reason, undefined);
}

/** Whether no retry can help. A handler whose own enqueue was refused may have another payload for it the next time. */
export function isPermanent(thrown: unknown): boolean {
  return thrown instanceof PermanentJobError || (thrown instanceof InvalidPayloadError && thrown.at === 'run');
}

function concludeRetry(
  active: ActiveJob,
  thrown: unknown,
  reason: AttemptReason,
  after: number | undefined,
): Settlement {
  const { options } = active.handler;
  if (active.job.retries >= active.maxRetries) return concludeFailure(active, thrown, reason);
  const delay = after ?? retryDelay(options, active.attempt, thrown);
  const retry = base(active, 'retried', reason, serialiseError(thrown));
  return { ...retry, state: delay > 0 ? 'scheduled' : 'waiting', delay, usesRetry: true };
}

function serialiseResult(value: unknown, maxBytes: number): { json: string | undefined } | { error: RecordedError } {
  if (value === undefined) return { json: undefined };
  try {
    const json = serialiseJson(value);
    const bytes = Buffer.byteLength(json);
    if (bytes <= maxBytes) return { json };
    return {
      error: {
        name: 'ResultNotStored',
        message: `The result has ${bytes} bytes of JSON, at most ${maxBytes} are stored.`,
      },
    };
  } catch (error) {
    return {
      error: { name: 'ResultNotStored', message: `The result cannot be stored: ${serialiseError(error).message}` },
    };
  }
}

function keepFailed({ job, handler }: ActiveJob): number {
  return job.retention.failed ?? handler.retention.failed;
}

function base(
  { job, attempt, startedAt, notes, steps, isManual }: ActiveJob,
  outcome: AttemptOutcome,
  reason: AttemptReason | undefined,
  error: RecordedError | undefined,
): Settlement {
  const end = { attempt, startedAt, endedAt: performance.now(), outcome, reason, error };
  return { ...releaseOf(job, end), hasSteps: steps !== undefined, manual: isManual, notes: notes.take() };
}
