import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * A lock that was refused before the database was asked: a name, `atMost`, `atLeast` or `wait` that cannot be used.
 *
 * @publicApi
 */
export class InvalidLockError extends PersistentQueueError {
  constructor(
    /** What was refused, such as `name`, `atMost`, `atLeast` or `wait`. */
    readonly field: string,
    readonly value: unknown,
    cure: string,
  ) {
    super(PersistentQueueError.compose(`The lock's ${field} cannot be used`, value, cure));
  }
}
