import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * A test asks for a helper that the application was not built with, or for something that is not running.
 *
 * @publicApi
 */
export class NotTestingError extends PersistentQueueError {
  constructor(mistake: string, value: unknown, cure: string) {
    super(PersistentQueueError.compose(mistake, value, cure));
  }
}
