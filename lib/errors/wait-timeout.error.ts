import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * The job had not ended within the time that `waitFor` was given. It goes on.
 *
 * @publicApi
 */
export class WaitTimeoutError extends PersistentQueueError {
  constructor(
    readonly id: string,
    readonly state: string,
    /** Milliseconds. */
    readonly timeout: number,
  ) {
    super(
      PersistentQueueError.compose(
        `Job ${id} has not ended within ${timeout} ms`,
        state,
        'Give waitFor() a longer timeout, or look later with jobQueue.get().',
      ),
    );
  }
}
