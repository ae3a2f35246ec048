import { PermanentJobError } from './permanent-job.error.js';

/**
 * A guard did not let the handler run: the job has failed for good. `cause` is what the guard threw, or Nest's `ForbiddenException`.
 *
 * @publicApi
 */
export class JobDeniedError extends PermanentJobError {
  constructor(
    readonly jobType: string,
    why: string,
    cause: unknown,
  ) {
    super(
      `A guard denied a job of type '${jobType}' (${why}). Let the guard pass where context.getType() is 'job', or take it off the handler.`,
      { cause },
    );
  }
}
