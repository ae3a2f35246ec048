import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * There is no job with this id in this service, or not any more: its retention has passed, or it was removed. Also where of such a job a key of scope `'forever'` is
 * left.
 *
 * @publicApi
 */
export class JobNotFoundError extends PersistentQueueError {
  constructor(readonly id: string) {
    super(
      PersistentQueueError.compose(
        'No such job',
        id,
        'Look it up with jobQueue.find(); finished jobs are deleted after their retention, or emptied where their key is for ever.',
      ),
    );
  }
}
