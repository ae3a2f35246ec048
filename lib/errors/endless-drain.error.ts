import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * Jobs of a test go on without an end: they enqueue, continue or retry themselves at once.
 *
 * @publicApi
 */
export class EndlessDrainError extends PersistentQueueError {
  constructor(
    readonly runs: number,
    readonly types: readonly string[],
  ) {
    super(
      PersistentQueueError.compose(
        `After ${runs} runs there are still jobs due, the last of them of ${types.join(', ')}`,
        runs,
        'Give what enqueues or continues itself a delay, run single jobs with runNext(), or allow more: drain({ maxRuns }).',
      ),
    );
  }
}
