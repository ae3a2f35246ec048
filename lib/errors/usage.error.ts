import { PersistentQueueError } from './persistent-queue.error.js';

/** A command line that cannot be carried out as it was written. Nothing was done. */
export class UsageError extends PersistentQueueError {
  constructor(mistake: string, value: unknown, cure: string, options?: ErrorOptions) {
    super(PersistentQueueError.compose(mistake, value, cure), options);
  }
}
