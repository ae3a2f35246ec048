import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * `job.manager` was read in a handler that has no transaction of its own.
 *
 * @publicApi
 */
export class NoJobManagerError extends PersistentQueueError {
  constructor(type: string) {
    super(
      PersistentQueueError.compose(
        'job.manager is set in transactional handlers only',
        type,
        'Say @JobHandler(type, { transactional: true }), or use the manager that job.transaction((manager) => …) gives.',
      ),
    );
  }
}
