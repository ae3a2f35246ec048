import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * `manager` belongs to another database than the jobs: the job would not commit with the caller's rows.
 *
 * @publicApi
 */
export class ForeignManagerError extends PersistentQueueError {
  constructor(given: string, expected: string) {
    super(
      PersistentQueueError.compose(
        'manager belongs to another database than the queue',
        given,
        `Pass a manager or a connection of ${expected}, or set forRoot({ dataSource }) to the other DataSource.`,
      ),
    );
  }
}
