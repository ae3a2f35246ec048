import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * A decorated method that cannot handle jobs; found at boot, names class and method.
 *
 * @publicApi
 */
export class InvalidHandlerError extends PersistentQueueError {
  constructor(
    /** `Class.method`. */
    readonly handler: string,
    readonly value: unknown,
    mistake: string,
    cure: string,
  ) {
    super(PersistentQueueError.compose(`${handler}: ${mistake}`, value, cure));
  }
}
