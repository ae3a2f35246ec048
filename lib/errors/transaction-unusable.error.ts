import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * The database has rolled back the caller's transaction, or an error inside of it was caught and it went on: whatever is written
 * from here on would be committed without what was written before.
 *
 * @publicApi
 */
export class TransactionUnusableError extends PersistentQueueError {
  constructor(cause: unknown) {
    super(
      'This transaction cannot be committed as a whole any more: an error inside of it was caught. Let the error reach the ' +
        'end of the transaction, and begin again.',
      { cause },
    );
  }
}
