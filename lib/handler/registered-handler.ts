import type { JobContext } from '../job/job-context.js';
import type { Retention } from '../options/resolved-options.js';
import type { ResolvedHandlerOptions } from '../options/handler-options.js';

/** A job type, how its jobs are run, and the function that runs one. */
export interface RegisteredHandler {
  readonly type: string;
  /** `Class.method`, for people. */
  readonly name: string;
  readonly options: ResolvedHandlerOptions;
  readonly retention: Retention;
  readonly invoke: (payload: unknown, job: JobContext) => Promise<unknown>;
}
