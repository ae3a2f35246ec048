import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * The key belongs to another job: one with a different payload (`onConflict: 'error'`), or one that was enqueued after the job
 * that is to be retried had ended.
 *
 * @publicApi
 */
export class KeyTakenError extends PersistentQueueError {
  constructor(
    readonly key: string,
    /** The job that has the key. */
    readonly takenBy: string | undefined,
    cure: string,
  ) {
    super(PersistentQueueError.compose('The key is taken by another job', key, cure));
  }
}
