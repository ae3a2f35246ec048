import { SetMetadata } from '@nestjs/common';
import type { JobContext } from '../job/job-context.js';
import type { JobType } from '../job/job-type.js';
import type { Jsonified } from '../job/jsonified.js';
import type { JobHandlerOptions } from '../options/handler-options.js';
import type { JobDefinition } from '../queue/job-definition.js';

/** A fixed string, not a symbol of this module: the metadata must be found whichever copy of the package wrote it. */
export const JOB_HANDLER_METADATA = 'nestjs-persistent-queue:job-handlers';

/**
 * Options of `@JobHandler()`: those of the job type, and which module the handler belongs to.
 *
 * @publicApi
 */
export interface JobHandlerDecoratorOptions extends JobHandlerOptions {
  /** The `name` of the module whose jobs are meant. By default the module without one. */
  queue?: string;
}

export interface JobHandlerMetadata {
  readonly type: unknown;
  readonly options: JobHandlerDecoratorOptions;
}

/**
 * A method that runs the jobs of one type: of a provider or a controller. It gets the payload and a `JobContext`. Returning is
 * success, and the value is the stored result, of an Observable the last one; throwing is a retry while there are some; a `JobOutcome`
 * says anything else.
 *
 * An option that cannot be used, or a second handler of the type, is an error when the application starts.
 *
 * @publicApi
 */
export function JobHandler<Payload>(
  definition: JobDefinition<Payload>,
  options?: JobHandlerDecoratorOptions,
): <Method extends (payload: Jsonified<Payload>, job: JobContext) => unknown>(
  target: object,
  name: string | symbol,
  descriptor: TypedPropertyDescriptor<Method>,
) => void;
export function JobHandler(type: JobType, options?: JobHandlerDecoratorOptions): MethodDecorator;
export function JobHandler(type: JobType | JobDefinition<unknown>, options: JobHandlerDecoratorOptions = {}) {
  const metadata: JobHandlerMetadata =
    typeof type === 'object' && type !== null
      ? { type: type.type, options: { ...type.options, ...options } }
      : { type, options };
  return SetMetadata(JOB_HANDLER_METADATA, metadata) as MethodDecorator;
}
