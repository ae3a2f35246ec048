import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * Two methods that want the jobs of one type. Only one of them could ever run, so the application does not start.
 *
 * @publicApi
 */
export class DuplicateHandlerError extends PersistentQueueError {
  constructor(
    readonly jobType: string,
    readonly first: string,
    readonly second: string,
  ) {
    const cure = `Both ${first} and ${second} claim it: give one of them another type, or remove one.`;
    super(PersistentQueueError.compose('Two handlers of one job type', jobType, cure));
  }
}
