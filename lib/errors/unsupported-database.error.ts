import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * A DataSource whose database cannot keep the promises; the message says which one can.
 *
 * @publicApi
 */
export class UnsupportedDatabaseError extends PersistentQueueError {
  constructor(
    readonly database: unknown,
    mistake: string,
    cure: string,
  ) {
    super(PersistentQueueError.compose(mistake, database, cure));
  }
}
