import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * The queue was used before the application's modules were initialised, or after it was closed.
 *
 * @publicApi
 */
export class NotRunningError extends PersistentQueueError {
  constructor(what: string) {
    super(
      `${what} needs the database, and the queue's connection is closed. Use it after onModuleInit and before the application is closed.`,
    );
  }
}
