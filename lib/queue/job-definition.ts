import { InvalidJobError } from '../errors/invalid-job.error.js';
import { jobTypeFault, type JobType } from '../job/job-type.js';
import type { JobHandlerOptions } from '../options/handler-options.js';
import { resolveHandlerOptions } from '../options/resolve-handler-options.js';

/**
 * A job type with the type of its payload: `@JobHandler(OrderNotify)` and `jobQueue.enqueue(OrderNotify, payload)` are checked
 * by the compiler.
 *
 * @publicApi
 */
export interface JobDefinition<Payload> {
  readonly type: string;
  readonly options: JobHandlerOptions;
  /** Only for the compiler: never set. */
  readonly payload?: Payload;
}

/**
 * Defines a job type once, for its handler and for everyone who enqueues it. Throws `InvalidJobError`, `InvalidOptionError` or
 * `UnknownOptionError`.
 *
 * @publicApi
 */
export function defineJob<Payload>(type: JobType, options: JobHandlerOptions = {}): JobDefinition<Payload> {
  const fault = jobTypeFault(type);
  if (fault !== undefined) throw new InvalidJobError('type', type, fault);
  resolveHandlerOptions(`defineJob('${type}')`, options);
  return Object.freeze({ type: String(type), options: Object.freeze({ ...options }) });
}
