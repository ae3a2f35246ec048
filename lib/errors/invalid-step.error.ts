import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * A step that cannot be run as it was called, or whose result or context cannot be saved. What was saved before stays.
 *
 * @publicApi
 */
export class InvalidStepError extends PersistentQueueError {
  constructor(
    readonly step: string,
    readonly value: unknown,
    mistake: string,
    cure: string,
    options?: ErrorOptions,
  ) {
    super(PersistentQueueError.compose(`Step '${step}' ${mistake}`, value, cure), options);
  }
}
