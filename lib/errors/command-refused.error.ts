import { PersistentQueueError } from './persistent-queue.error.js';

/** A command that was understood, and whose answer is no. */
export class CommandRefusedError extends PersistentQueueError {
  constructor(mistake: string, value: unknown, cure: string) {
    super(PersistentQueueError.compose(mistake, value, cure));
  }
}
