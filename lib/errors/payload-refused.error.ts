import { PermanentJobError } from './permanent-job.error.js';

/**
 * A pipe refused the payload, or could not change it: the job has failed for good, and its handler was not called. `cause` is what the
 * pipe threw.
 *
 * @publicApi
 */
export class PayloadRefusedError extends PermanentJobError {
  constructor(
    readonly jobType: string,
    why: string,
    cause: unknown,
  ) {
    super(`A pipe refused the payload of a job of type '${jobType}': ${why}`, { cause });
  }
}
