import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * The queue was used after it had been closed, or a node before it was started.
 *
 * @publicApi
 */
export class NotRunningError extends PersistentQueueError {
  constructor(what: string) {
    super(`${what} needs the database, and the queue's connection is closed. Use it before the application is closed.`);
  }
}
