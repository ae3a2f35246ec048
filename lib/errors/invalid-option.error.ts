import { describeShape, describeValue } from './describe-value.js';
import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * An option of the module, a handler, a job definition or an enqueue that cannot be used.
 *
 * @publicApi
 */
export class InvalidOptionError extends PersistentQueueError {
  /** What was given; of what may hold a password only what it is, because errors are printed with their fields. */
  readonly value: unknown;

  constructor(
    /** The option's path, such as `forRoot().poll.min` or `@JobHandler() on OrderJobs.notify: maxRetries`. */
    readonly option: string,
    value: unknown,
    cure: string,
    { isSecret = false } = {},
  ) {
    const describe = isSecret ? describeShape : describeValue;
    super(PersistentQueueError.compose(`Option ${option} cannot be used`, value, cure, describe));
    this.value = isSecret ? describeShape(value) : value;
  }
}
