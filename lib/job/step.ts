import type { RecordedError } from '../support/serialise-error.js';

/**
 * How a step stands. `retrying`: its last attempt failed, and it will be tried again by itself. `failed`: its last attempt failed;
 * a `job.step()` runs again when its handler comes to it again. `skipped`: it was added to the definition before a step that this job
 * had finished.
 *
 * @publicApi
 */
export type StepState = 'waiting' | 'running' | 'retrying' | 'sleeping' | 'succeeded' | 'failed' | 'skipped';

/**
 * `step`: a `@JobStep()` method. `call`: a `job.step()`. `sleep`: a `job.sleep()` or `job.sleepUntil()`. `callback`: the
 * `@OnJobSucceeded()` or `@OnJobFailed()` method.
 *
 * @publicApi
 */
export type StepKind = 'step' | 'call' | 'sleep' | 'callback';

/**
 * A step of a job, as it stands in the database.
 *
 * @publicApi
 */
export interface StepStatus {
  /** Of what is called inside of a `@JobStep()` method: `step/name`. */
  readonly name: string;
  readonly kind: StepKind;
  readonly description: string | undefined;
  readonly state: StepState;
  /** Attempts that have ended; one that its process did not survive is not among them. */
  readonly attempts: number;
  /** Of the last attempt that has ended. */
  readonly startedAt: Date | undefined;
  readonly endedAt: Date | undefined;
  /** Of a sleep. */
  readonly wakesAt: Date | undefined;
  /** What it has returned, as JSON left it. */
  readonly result: unknown;
  /** Of its last attempt, if that failed. */
  readonly error: RecordedError | undefined;
}

/**
 * The steps of a job, in their order: what `JobQueue.steps()` answers.
 *
 * @publicApi
 */
export interface JobSteps {
  /** How many steps the job has: of a multi-step job those of its definition, once it has begun. */
  readonly total: number;
  /** How many of them have succeeded or been skipped. */
  readonly done: number;
  /** Of a multi-step job: the context that was saved last. */
  readonly context: unknown;
  readonly steps: StepStatus[];
}

/** Which step something is about. */
export interface StepPlace {
  readonly name: string;
  readonly kind: StepKind;
  /** The `@JobStep()` method it was called in; '' elsewhere. */
  readonly parent: string;
  /** Counts up within its parent. */
  readonly place: number;
}

/** What a step's earlier attempts, on whichever node, have left behind. */
export interface SavedStep extends StepPlace {
  readonly state: StepState;
  readonly attempts: number;
  readonly description: string | undefined;
  /** JSON text. */
  readonly result: string | undefined;
  /** JSON text: the context after it. */
  readonly context: string | undefined;
  /** JSON text: the context before it, where that is not the one after the step before. */
  readonly input: string | undefined;
  readonly error: RecordedError | undefined;
  /** Of a sleep: milliseconds until it is over. */
  readonly left: number;
}

/** A step of a definition, as it is written down before the job begins, or goes on with a newer definition. */
export interface PlannedStep {
  readonly name: string;
  readonly place: number;
  readonly description: string | undefined;
  readonly skipped: boolean;
}

/** The end of one attempt of a step. Times are `performance.now()` of this process. */
export interface StepEnd extends StepPlace {
  readonly state: 'succeeded' | 'retrying' | 'failed';
  readonly attempts: number;
  readonly startedAt: number;
  readonly endedAt: number;
  /** JSON text. */
  readonly result: string | undefined;
  /** JSON text. */
  readonly context: string | undefined;
  readonly error: RecordedError | undefined;
}
