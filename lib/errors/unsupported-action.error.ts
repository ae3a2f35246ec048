import { PersistentQueueError } from './persistent-queue.error.js';

/** Something that a page of others offers, and this library does not do. */
export class UnsupportedActionError extends PersistentQueueError {
  constructor(action: string, value: unknown, cure: string) {
    super(PersistentQueueError.compose(`${action} is not possible here`, value, cure));
  }
}
