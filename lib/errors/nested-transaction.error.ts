import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * `job.transaction()`, or a transactional handler, was called inside of another transaction: it could not commit by itself.
 *
 * @publicApi
 */
export class NestedTransactionError extends PersistentQueueError {
  constructor() {
    super(
      'job.transaction() cannot be part of another transaction, because it commits the end of the job. ' +
        'Call it outside of jobQueue.transaction() and @Transactional() methods, and jobQueue.transaction() inside of it if you need to.',
    );
  }
}
