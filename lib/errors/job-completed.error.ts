import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * `job.transaction()` was called again in an attempt that it has completed already, or while another call of it was under way.
 *
 * @publicApi
 */
export class JobCompletedError extends PersistentQueueError {
  constructor(id: string) {
    super(
      PersistentQueueError.compose(
        'job.transaction() completes its job, so an attempt can have only one',
        `job ${id}`,
        'Put all of its writes into one transaction, or enqueue another job inside of it.',
      ),
    );
  }
}
