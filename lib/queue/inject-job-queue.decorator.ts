import { Inject } from '@nestjs/common';
import { JobQueue } from './job-queue.js';

/** The injection token of a module's `JobQueue`: the class itself, or a string for a module with a `name`. */
export function jobQueueToken(name?: string): typeof JobQueue | string {
  return name === undefined ? JobQueue : `JobQueue:${name}`;
}

/**
 * Injects the `JobQueue` of the module with this `name`. For the module without one, inject `JobQueue` by its type.
 *
 * @publicApi
 */
export function InjectJobQueue(name?: string): ParameterDecorator & PropertyDecorator {
  return Inject(jobQueueToken(name));
}
