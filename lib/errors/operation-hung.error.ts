import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * A `loadJobs()` or `batchUpdateJobs()` that has not answered in time. It may still be running: nobody listens to it any more.
 *
 * @publicApi
 */
export class OperationHungError extends PersistentQueueError {
  constructor(
    readonly call: 'loadJobs' | 'batchUpdateJobs',
    /** Milliseconds. */
    readonly timeout: number,
  ) {
    const cure = "Find out what it waits for, or raise the operation's timeout (of an update: the lock's atMost).";
    super(PersistentQueueError.compose(`${call}() has not answered in time`, `${timeout} ms`, cure));
  }
}
