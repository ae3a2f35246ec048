import type { EntityManager } from 'typeorm';
import type { DueTime, JobLevel, JobToken } from '../job/job.js';
import type { JobState } from '../job/job-state.js';
import type { RecordedError } from '../support/serialise-error.js';
import type { JobSteps, PlannedStep, SavedStep, StepEnd, StepPlace } from '../job/step.js';

/** `lost`: the claim is over, and nothing was written. `succeeded before`: nothing was written either; what is saved counts. */
export type StepAnswer = 'saved' | 'lost' | 'succeeded before';

export type WhichJob = { readonly id: string } | { readonly type: string; readonly key: string };

/** A job that has been restarted, or why it has not: it is open, has not come to the step, or the step takes no context. */
export interface RestartedJob extends JobLevel {
  readonly id: string;
  readonly state: JobState;
  readonly refusal: 'state' | 'step' | 'context' | undefined;
  /** For the second: those that it can be restarted from. */
  readonly steps: readonly string[];
}

/**
 * What is asked of a database about the steps of jobs. Every time is the database's, and every write is one of a claim: it holds the
 * job's row, and changes nothing when that carries another fence.
 */
export abstract class StepRepository {
  /** What is saved of a job's steps, in their order. */
  abstract load(id: string): Promise<SavedStep[]>;
  /** Writes the end of one attempt of a step; never over one that has succeeded. */
  abstract save(token: JobToken, end: StepEnd): Promise<StepAnswer>;
  /** The same as part of the caller's transaction: the row of the job stays locked until that ends. */
  abstract saveIn(manager: EntityManager, token: JobToken, end: StepEnd): Promise<StepAnswer>;
  /** Writes down the steps of a multi-step job; what has ended stays. `false`: the claim is over. */
  abstract plan(token: JobToken, steps: readonly PlannedStep[]): Promise<boolean>;
  /** Writes down why a job waits. `false`: the claim is over. */
  abstract report(token: JobToken, error: RecordedError): Promise<boolean>;
  /** Decides when a sleep is over, once and for all; answers how many milliseconds are left. `undefined`: the claim is over. */
  abstract sleep(token: JobToken, step: StepPlace, wake: DueTime): Promise<number | undefined>;
  abstract list(id: string): Promise<JobSteps>;
  /** Lets a job that has ended begin again at a step, with this context (JSON text) or its own. `undefined`: there is no such job. */
  abstract restart(job: WhichJob, fromStep: string, context: string | undefined): Promise<RestartedJob | undefined>;
}
