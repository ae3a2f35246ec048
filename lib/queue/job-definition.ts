import { InvalidJobError } from '../errors/invalid-job.error.js';
import { jobTypeFault, type JobType } from '../job/job-type.js';
import type { Jsonified } from '../job/jsonified.js';
import type { SchemaInput, SchemaOutput, StandardSchema } from '../job/standard-schema.js';
import type { JobHandlerOptions } from '../options/handler-options.js';
import { resolveHandlerOptions } from '../options/resolve-handler-options.js';

/**
 * A job type with the type of its payload, and of what its handler gets: `@JobHandler(OrderNotify)` and `jobQueue.enqueue(OrderNotify,
 * payload)` are checked by the compiler.
 *
 * @publicApi
 */
export interface JobDefinition<Payload, Received = Jsonified<Payload>> {
  readonly type: string;
  readonly options: JobHandlerOptions;
  /** Only for the compiler: never set, as `received`. */
  readonly payload?: Payload;
  readonly received?: Received;
}

/**
 * Defines a job type once, for its handler and for everyone who enqueues it. With a `schema` the compiler takes from that what may be
 * enqueued, and what the handler gets: what the schema makes of it. Throws `InvalidJobError`, `InvalidOptionError` or
 * `UnknownOptionError`.
 *
 * @publicApi
 */
export function defineJob<Schema extends StandardSchema>(
  type: JobType,
  options: Omit<JobHandlerOptions, 'schema'> & { schema: Schema },
): JobDefinition<SchemaInput<Schema>, SchemaOutput<Schema>>;
export function defineJob<Payload>(
  type: JobType,
  options?: JobHandlerOptions & { schema?: undefined },
): JobDefinition<Payload>;
export function defineJob(type: JobType, options: JobHandlerOptions = {}): JobDefinition<unknown> {
  const fault = jobTypeFault(type);
  if (fault !== undefined) throw new InvalidJobError('type', type, fault);
  resolveHandlerOptions(`defineJob('${type}')`, options);
  return Object.freeze({ type: String(type), options: Object.freeze({ ...options }) });
}
