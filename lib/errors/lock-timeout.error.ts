import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * Somebody else held the lock for as long as `wait` allowed.
 *
 * @publicApi
 */
export class LockTimeoutError extends PersistentQueueError {
  constructor(
    readonly lock: string,
    /** Milliseconds. */
    readonly wait: number,
  ) {
    super(
      PersistentQueueError.compose(
        `The lock was not free within ${wait} ms`,
        lock,
        'Give a longer wait, or try again later. The column owner of its row says who holds it.',
      ),
    );
  }
}
