import { PersistentQueueError } from './persistent-queue.error.js';

/** The database that a command is about does not answer, or does not let it in. */
export class UnreachableDatabaseError extends PersistentQueueError {
  constructor(mistake: string, where: string, cure: string, options?: ErrorOptions) {
    super(PersistentQueueError.compose(mistake, where, cure), options);
  }
}
