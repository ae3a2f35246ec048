import type { JobManager } from '../repository/job-repository.js';

/**
 * Options of `jobQueue.processing()` and `fail()`.
 *
 * @publicApi
 */
export interface AcknowledgeOptions {
  /**
   * The `job.delivery` that the handler has handed over with the job: then a late answer to an earlier handling changes nothing. Without it,
   * the answer is to whichever delivery is open.
   */
  delivery?: number;
  /** Your transaction, as of `enqueue`: the job ends with it, or not at all. */
  manager?: JobManager | null;
}

/**
 * Options of `jobQueue.finish()`.
 *
 * @publicApi
 */
export interface FinishOptions extends AcknowledgeOptions {
  /** The job's result, kept as JSON. Without it, what the handler has returned. */
  result?: unknown;
}
