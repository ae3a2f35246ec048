import type { EntityManager } from 'typeorm';
import type { DueTime, JobToken } from '../job/job.js';
import type { RecordedError } from '../support/serialise-error.js';
import type { PlannedStep, SavedStep, StepEnd, StepPlace } from '../job/step.js';

/** `lost`: the claim is over, and nothing was written. `succeeded before`: nothing was written either; what is saved counts. */
export type StepAnswer = 'saved' | 'lost' | 'succeeded before';

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
}
