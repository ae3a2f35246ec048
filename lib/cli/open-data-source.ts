import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DataSource, DataSourceOptions } from 'typeorm';
import { MissingPackageError } from '../errors/missing-package.error.js';
import { PersistentQueueError } from '../errors/persistent-queue.error.js';
import { UnreachableDatabaseError } from '../errors/unreachable-database.error.js';
import { BARE_OPTIONS } from '../typeorm/bare-options.js';
import { allMessages } from './all-messages.js';
import type { Where } from './where.js';

/** In milliseconds; mysql2's default. pg would wait for as long as the network does. */
const CONNECT_TIMEOUT = 10_000;

/** In place of replicas, which TypeORM would ask first, the server that is written to. */
function bareOptions(options: DataSourceOptions): DataSourceOptions {
  const { master } = (options as { replication?: { master?: object } }).replication ?? {};
  const own = { ...options, ...master, replication: undefined, ...BARE_OPTIONS } as DataSourceOptions;
  return own.type === 'postgres' ? { ...own, connectTimeoutMS: own.connectTimeoutMS ?? CONNECT_TIMEOUT } : own;
}

const DRIVERS: Readonly<Record<string, string>> = {
  mysql: 'mysql2',
  mariadb: 'mysql2',
  postgres: 'pg',
  'better-sqlite3': 'better-sqlite3',
};

/**
 * In place of the application's DataSource. Of a server only its options are used: the queue's own connections are opened with them.
 *
 * @param mayCreate whether an SQLite file may come into being.
 */
export async function openDataSource(where: Where, mayCreate = false): Promise<DataSource> {
  if (where.options.type === 'better-sqlite3') checkFile(where.options.database, mayCreate);
  const { DataSource: Source } = await loadTypeorm();
  return reaching(where, async () => {
    const dataSource = new Source(bareOptions(where.options));
    return where.options.type === 'better-sqlite3' ? dataSource.initialize() : dataSource;
  });
}

/** Runs what opens connections; what goes wrong is told with the name of the database, and without its password. */
export async function reaching<T>({ options, label }: Where, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    if (error instanceof PersistentQueueError) throw error;
    if (error instanceof Error && error.name === 'DriverPackageNotInstalledError')
      throw new MissingPackageError(DRIVERS[options.type] ?? options.type, `a DataSource of type ${options.type}`, {
        cause: error,
      });
    const cure = 'Look whether it runs and whether host, port, user, password and database are right.';
    const mistake = `The database cannot be reached: ${allMessages(error)}`;
    throw new UnreachableDatabaseError(mistake, label, cure, { cause: error });
  }
}

/** SQLite would make an empty file of a path that was misspelt. */
function checkFile(file: unknown, mayCreate: boolean): void {
  if (typeof file !== 'string' || file === ':memory:' || file === '' || existsSync(file)) return;
  if (!mayCreate) {
    const cure = "Give the path of the application's file, or make one with persistent-queue install.";
    throw new UnreachableDatabaseError('There is no such SQLite file', file, cure);
  }
  if (!existsSync(dirname(file)))
    throw new UnreachableDatabaseError('There is no such folder', dirname(file), 'Make it, or correct the path.');
}

async function loadTypeorm(): Promise<typeof import('typeorm')> {
  try {
    return await import('typeorm');
  } catch (error) {
    throw new MissingPackageError('typeorm', 'the way to the database', { cause: error });
  }
}
