import { JobDeniedError } from '../errors/job-denied.error.js';
import { PayloadRefusedError } from '../errors/payload-refused.error.js';
import type { JobContext } from '../job/job-context.js';
import { explainError } from '../support/explain-error.js';

const TOO_MANY_REQUESTS = 429;
const FIRST_SERVER_ERROR = 500;

/**
 * What became of jobs before their handlers were reached. By the job and not by the error: the handler may throw the same class, and
 * an interceptor may make another error of what a pipe has thrown.
 */
export class Refusals {
  private readonly errors = new WeakMap<JobContext, JobDeniedError | PayloadRefusedError>();

  /** Throws what `guard` throws. */
  async byGuard(job: JobContext, guard: () => Promise<void>): Promise<void> {
    try {
      await guard();
    } catch (thrown) {
      if (!isForLater(thrown)) this.errors.set(job, new JobDeniedError(job.type, explainError(thrown), thrown));
      throw thrown;
    }
  }

  /** The same. An interceptor that tries again may have another payload accepted. */
  async byPipe(job: JobContext, pipe: () => Promise<void>): Promise<void> {
    this.errors.delete(job);
    try {
      await pipe();
    } catch (thrown) {
      if (!isForLater(thrown)) this.errors.set(job, new PayloadRefusedError(job.type, explainError(thrown), thrown));
      throw thrown;
    }
  }

  /** Why the job has failed for good, when it was refused. */
  of(job: JobContext): Error | undefined {
    return this.errors.get(job);
  }
}

/** An exception of Nest's that says itself that waiting helps: a server's error, or too many requests. */
function isForLater(thrown: unknown): boolean {
  if (typeof thrown !== 'object' || thrown === null || !('getStatus' in thrown)) return false;
  const status: unknown = typeof thrown.getStatus === 'function' ? thrown.getStatus() : undefined;
  return typeof status === 'number' && (status >= FIRST_SERVER_ERROR || status === TOO_MANY_REQUESTS);
}
