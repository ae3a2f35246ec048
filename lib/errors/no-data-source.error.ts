import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * A test has no database behind the manager of its transaction.
 *
 * @publicApi
 */
export class NoDataSourceError extends PersistentQueueError {
  constructor(member: string) {
    super(
      PersistentQueueError.compose(
        'This transaction has no database: the application under test has no DataSource that is connected',
        `manager.${member}`,
        'Import TypeOrmModule.forRoot() in the test, for example of SQLite in memory, or replace the provider that writes.',
      ),
    );
  }
}
