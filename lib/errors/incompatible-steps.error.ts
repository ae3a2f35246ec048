import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * The `lastError` of a multi-step job that was begun by another definition and waits for one that can go on with it: a step that it has
 * finished is not there any more, or not in this order.
 *
 * @publicApi
 */
export class IncompatibleStepsError extends PersistentQueueError {
  constructor(
    readonly jobType: string,
    /** Steps that the job has finished and the definition does not have in this place. */
    readonly steps: readonly string[],
  ) {
    super(
      PersistentQueueError.compose(
        `The steps of '${jobType}' have changed: the job has finished steps that are not there any more, or in another order`,
        steps.join(', '),
        'It waits. Deploy a definition that has them, in their order, or cancel the job.',
      ),
    );
  }
}
