import { SetMetadata } from '@nestjs/common';
import type { JobHandlerDecoratorOptions, JobHandlerMetadata } from '../handler/job-handler.decorator.js';
import type { JobType } from '../job/job-type.js';
import type { JobStepOptions } from '../options/step-options.js';
import type { JobDefinition } from '../queue/job-definition.js';
import { MULTI_STEP_JOB_METADATA } from '../queue/multi-step-types.js';

/** Fixed strings, not symbols of this module: the metadata must be found whichever copy of the package wrote it. */
export const JOB_STEP_METADATA = 'nestjs-persistent-queue:job-steps';
export const JOB_SUCCEEDED_METADATA = 'nestjs-persistent-queue:job-succeeded';
export const JOB_FAILED_METADATA = 'nestjs-persistent-queue:job-failed';

/**
 * A class, a provider or controller, whose `@JobStep()` methods run the jobs of one type, one after the other. Each step gets the
 * context, at first the payload, and a `JobContext`; what it changes in the context is saved together with its end, before the next
 * step starts, and is all that the next step gets. What it returns is stored as the step's result. After a crash the job goes on
 * at the step that had not ended, on any node.
 *
 * `maxRetries`, `waitTime`, `backoff`, `timeout` and `transactional` are those of each step, unless it has its own. The key of such a
 * job is unique for ever, unless `keyScope` says otherwise. The final context is the job's result.
 *
 * An option that cannot be used, or a class without steps, is an error when the application starts.
 *
 * @publicApi
 */
export function MultiStepJob(
  type: JobType | JobDefinition<unknown>,
  options: JobHandlerDecoratorOptions = {},
): ClassDecorator {
  const metadata: JobHandlerMetadata =
    typeof type === 'object' && type !== null
      ? { type: type.type, options: { ...type.options, ...options } }
      : { type, options };
  return SetMetadata(MULTI_STEP_JOB_METADATA, metadata) as ClassDecorator;
}

/**
 * A step of a `@MultiStepJob()`. Throwing is a retry of this step while it has some, `PermanentJobError` fails the job; a `JobOutcome`
 * says anything else. What a failed attempt has changed in the context is forgotten.
 *
 * @publicApi
 */
export function JobStep(options: JobStepOptions): MethodDecorator {
  return SetMetadata(JOB_STEP_METADATA, options) as MethodDecorator;
}

/**
 * Called with the final context when all steps of a `@MultiStepJob()` have succeeded, before the job counts as succeeded: at least
 * once, also when a process has died in between.
 *
 * @publicApi
 */
export function OnJobSucceeded(): MethodDecorator {
  return SetMetadata(JOB_SUCCEEDED_METADATA, true) as MethodDecorator;
}

/**
 * Called when a `@MultiStepJob()` fails, before it counts as failed: at least once, also when a process has died in between. It gets
 * the context that was saved last, a `JobContext`, and the error as a `RecordedError`. A cancelled job has not failed.
 *
 * @publicApi
 */
export function OnJobFailed(): MethodDecorator {
  return SetMetadata(JOB_FAILED_METADATA, true) as MethodDecorator;
}
