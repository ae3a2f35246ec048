import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * Thrown by a handler to fail its job at once, whatever retries are left. `cause` is kept in the history.
 *
 * @publicApi
 */
export class PermanentJobError extends PersistentQueueError {}
