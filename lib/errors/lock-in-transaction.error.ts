import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * On SQLite, which has one writer: a lock was asked for inside of a transaction, which would wait for the lock, and the lock for it.
 *
 * @publicApi
 */
export class LockInTransactionError extends PersistentQueueError {
  constructor(readonly lock: string) {
    super(
      PersistentQueueError.compose(
        'A lock cannot be taken inside of a transaction on SQLite, which has one writer',
        lock,
        'Take the lock first, begin the transaction under it, and release the lock after the commit.',
      ),
    );
  }
}
