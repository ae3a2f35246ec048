import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * The reason of `job.signal` when an attempt ran longer than its `timeout`.
 *
 * @publicApi
 */
export class JobTimeoutError extends PersistentQueueError {
  constructor(
    readonly jobType: string,
    /** Milliseconds. */
    readonly timeout: number,
  ) {
    super(
      PersistentQueueError.compose(
        `The attempt of '${jobType}' ran longer than its timeout`,
        `${timeout} ms`,
        'Raise timeout in @JobHandler(), or stop the work when job.signal is aborted.',
      ),
    );
  }
}
