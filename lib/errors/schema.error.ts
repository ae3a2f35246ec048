import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * The tables are missing, older or newer than this version of the library; found at boot, before any job runs.
 *
 * @publicApi
 */
export class SchemaError extends PersistentQueueError {
  constructor(
    /** The version found in the database; 0 when there are no tables. */
    readonly found: number,
    readonly expected: number,
    tablePrefix: string,
  ) {
    super(
      PersistentQueueError.compose(
        `The tables '${tablePrefix}*' have version ${found}, ${expected} is needed`,
        found,
        cureFor(found, expected, tablePrefix),
      ),
    );
  }
}

function cureFor(found: number, expected: number, tablePrefix: string): string {
  if (found > expected) return 'Upgrade nestjs-persistent-queue: a newer version of it has upgraded these tables.';
  const prefix = tablePrefix === 'pq_' ? '' : ` --prefix ${tablePrefix}`;
  return (
    `Run "npx persistent-queue ${found === 0 ? 'install' : 'upgrade'}${prefix} --url …", or add ` +
    `...persistentQueueMigrations({ tablePrefix: '${tablePrefix}' }) from 'nestjs-persistent-queue/migrations' to the ` +
    'DataSource\'s migrations and run "typeorm migration:run", or set synchronize: true in PersistentQueueModule.forRoot().'
  );
}
