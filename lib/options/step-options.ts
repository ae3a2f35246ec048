import type { Backoff } from '../job/backoff.js';
import type { Duration } from '../support/duration.js';

/**
 * Options of `@JobStep()`. What is left out is as `@MultiStepJob()` says.
 *
 * @publicApi
 */
export interface JobStepOptions {
  /** Sorts the steps, and does nothing else: a number, a different one for each. */
  order: number;
  /**
   * What the step is known by in the database. Name it before you rename the method: a new name is a new step.
   * @default the method's name
   */
  name?: string;
  /** Executions after the first one that failed, of this step alone; `Infinity` for as long as it takes. */
  maxRetries?: number;
  /** The wait before a retry, and the first step of an exponential backoff. */
  waitTime?: Duration;
  backoff?: Backoff;
  /** The longest one execution of the step may take: then `job.signal` is aborted. */
  timeout?: Duration;
  /** Commits what the step writes through `job.manager`, the context and the end of the step together, or not at all. */
  transactional?: boolean;
  /** For people: shown where steps are listed. */
  description?: string;
}

/** Step options with every default filled in; durations are milliseconds. */
export interface ResolvedStepOptions {
  readonly maxRetries: number;
  readonly waitTime: number;
  readonly backoff: Backoff;
  readonly timeout: number;
  readonly transactional: boolean;
}
