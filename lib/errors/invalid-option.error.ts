import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * An option of the module, a handler, a job definition or an enqueue that cannot be used.
 *
 * @publicApi
 */
export class InvalidOptionError extends PersistentQueueError {
  constructor(
    /** The option's path, such as `forRoot().poll.min` or `@JobHandler() on OrderJobs.notify: maxRetries`. */
    readonly option: string,
    readonly value: unknown,
    cure: string,
  ) {
    super(PersistentQueueError.compose(`Option ${option} cannot be used`, value, cure));
  }
}
