import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * The job is in a state in which this cannot be done to it. Nothing was changed.
 *
 * @publicApi
 */
export class JobStateError extends PersistentQueueError {
  constructor(
    readonly id: string,
    readonly state: string,
    verb: string,
    possible: readonly string[],
  ) {
    super(
      PersistentQueueError.compose(
        `Job ${id} cannot be ${verb}`,
        state,
        `That is possible while it is ${possible.join(' or ')}.`,
      ),
    );
  }
}
