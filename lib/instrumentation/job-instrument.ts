import type { AttemptOutcome, AttemptReason } from '../job/attempt.js';
import type { EnqueuedJob } from '../job/job.js';
import type { StepKind } from '../job/step.js';
import type { RecordedError } from '../support/serialise-error.js';

/**
 * Looks on while jobs are enqueued and run: traces, metrics. Given to `JobInstrumentation.use()`. What it does not implement costs nothing,
 * and what it throws, or its promises fail with, changes nothing for the job. Payloads are not told.
 *
 * @publicApi
 */
export interface JobInstrument {
  enqueue?(facts: EnqueueFacts): EnqueueObservation | undefined;
  attempt?(facts: AttemptFacts): JobObservation<AttemptConclusion> | undefined;
  step?(facts: StepFacts): JobObservation<StepConclusion> | undefined;
}

/**
 * Of one thing that is under way.
 *
 * @publicApi
 */
export interface JobObservation<Conclusion> {
  /** Calls `work`, once and before it returns, inside of what the code below is to find: a context. */
  run?(work: () => unknown): void;
  /** Called once. Never, when the process dies. */
  end?(conclusion: Conclusion): void;
}

/**
 * Of an enqueue.
 *
 * @publicApi
 */
export interface EnqueueObservation extends JobObservation<EnqueueConclusion> {
  /** For the jobs that were given none: at most 255 characters. */
  readonly traceId?: string | undefined;
}

/**
 * Jobs of one type that are about to be stored.
 *
 * @publicApi
 */
export interface EnqueueFacts {
  readonly type: string;
  readonly count: number;
  /** What the application has given the job, when it is one. */
  readonly traceId: string | undefined;
  /** What makes them, if no code does; `manual`: by `schedules.runNow()`. */
  readonly schedule: { readonly name: string; readonly manual: boolean } | undefined;
}

/**
 * What has become of an enqueue. With an `error` nothing was stored; without, it is when the transaction commits that it belongs to. None
 * of a schedule: another node has made them, or an earlier one has not ended.
 *
 * @publicApi
 */
export type EnqueueConclusion = { readonly jobs: readonly EnqueuedJob[] } | { readonly error: RecordedError };

/**
 * An attempt that begins.
 *
 * @publicApi
 */
export interface AttemptFacts {
  readonly id: string;
  readonly type: string;
  /** 1 for the first execution. */
  readonly attempt: number;
  readonly traceId: string | undefined;
  /** Milliseconds since it became due, by the database's clock. */
  readonly waited: number;
}

/**
 * How an attempt has ended, as its history will have it, unless that turns out to be lost when it is written. `lost`: the job was cancelled
 * or given to another node meanwhile, and what the handler answered is dropped.
 *
 * @publicApi
 */
export interface AttemptConclusion {
  readonly outcome: AttemptOutcome | 'lost';
  readonly reason: AttemptReason | undefined;
  readonly error: RecordedError | undefined;
}

/**
 * A step that begins: not one whose saved result is answered.
 *
 * @publicApi
 */
export interface StepFacts {
  /** Of its job. */
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly kind: StepKind;
  /** Of the step: 1 for the first. */
  readonly attempt: number;
}

/**
 * How an attempt of a step has ended. `suspended`: by a sleep, or because the job is not this node's any more.
 *
 * @publicApi
 */
export interface StepConclusion {
  readonly outcome: 'succeeded' | 'failed' | 'suspended';
  readonly error: RecordedError | undefined;
}
