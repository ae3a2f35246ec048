import type { EventEmitter } from 'node:events';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { BARE_OPTIONS } from './bare-options.js';
import { BUSY_RETRY } from './busy-retry.js';
import type { Database } from './database.js';
import { detectDialect } from './detect-dialect.js';
import { isOverloaded } from './dialects/dialect.js';
import { retryRolledBack, type Retry, type RetryPolicy } from './retry-rolled-back.js';
import { ServerDatabase } from './server.database.js';
import { mysqlOptions, postgresOptions, type PoolSettings } from './server-options.js';
import { SqliteDatabase } from './sqlite.database.js';

/** For how long a server that is full is asked again, and how seldom at last, in milliseconds. */
const OVERLOAD_RETRY: RetryPolicy = { isRolledBack: isOverloaded, patience: 10_000, longestWait: 1_000 };

type OnRetry = (retry: Retry) => void;

/**
 * Opens connections of our own to the database that the application's DataSource is for. A server's retries are told to `onRetry`;
 * those of SQLite are how its writers take turns.
 */
export async function openDatabase(application: DataSource, pool: PoolSettings, onRetry: OnRetry): Promise<Database> {
  if (['mysql', 'mariadb', 'postgres'].includes(application.options.type))
    return openServer(application, pool, onRetry);
  // SQLite reads the file before it answers anything, even its version.
  await retryRolledBack(BUSY_RETRY, () => detectDialect(application.options, application));
  const options = ownOptions(application, pool);
  return retryRolledBack(BUSY_RETRY, () => openSqlite(options));
}

/** The same, from the options alone that `ownOptions()` has answered: for a thread, which has no DataSource of the application's. */
export async function openFrom(options: DataSourceOptions, pool: PoolSettings, onRetry: OnRetry): Promise<Database> {
  if (options.type !== 'better-sqlite3') return openServer(new DataSource(options), pool, onRetry);
  return retryRolledBack(BUSY_RETRY, () => openSqlite(options));
}

/**
 * The application's own connections are not needed: they may all be taken, lead to a replica, or not be open yet, as with
 * `manualInitialization`.
 */
async function openServer(application: DataSource, pool: PoolSettings, onRetry: OnRetry): Promise<Database> {
  const policy = { ...OVERLOAD_RETRY, onRetry };
  const own = await retryRolledBack(policy, () => connect(new DataSource(ownOptions(application, pool))));
  try {
    const dialect = await detectDialect(own.options, own);
    if (dialect.name === 'postgres') hearEveryError(own);
    return new ServerDatabase(own, dialect, pool.connections, onRetry);
  } catch (error) {
    await own.destroy();
    throw error;
  }
}

/** One connection to the application's PostgreSQL, for what belongs to a session. */
export async function openOne(application: DataSource, serviceName: string): Promise<DataSource> {
  const own = await connect(new DataSource(ownOptions(application, { connections: 1, serviceName })));
  hearEveryError(own);
  return own;
}

async function connect(own: DataSource): Promise<DataSource> {
  try {
    return await own.initialize();
  } catch (error) {
    // TypeORM keeps what it had opened before it failed, and forgets what it could not open.
    await own.driver.disconnect().catch(() => undefined);
    throw error;
  }
}

/**
 * Between the moment a new connection is ready and the one TypeORM begins to listen to its errors, a server that shuts down ends
 * it: an error that nobody hears would end this process.
 */
function hearEveryError(own: DataSource): void {
  const pool = Reflect.get(own.driver, 'master') as EventEmitter;
  pool.on('connect', (client: EventEmitter) => client.on('error', () => undefined));
}

/** From the beginning each time: while another process writes, every step of it may find the file busy. */
async function openSqlite(options: DataSourceOptions): Promise<Database> {
  const own = await new DataSource(options).initialize();
  try {
    return new SqliteDatabase(own, Reflect.get(own.driver, 'databaseConnection'));
  } catch (error) {
    await own.destroy();
    throw error;
  }
}

/** The application's way to its database, and nothing that would make TypeORM touch its schema, entities or cache. */
export function ownOptions(application: DataSource, pool: PoolSettings): DataSourceOptions {
  // Those that its driver connects with: `options` may have been changed since.
  const options = application.driver.options as DataSourceOptions;
  return {
    ...options,
    ...BARE_OPTIONS,
    poolSize: pool.connections,
    ...driverOptions(options, pool),
  } as DataSourceOptions;
}

function driverOptions(application: DataSourceOptions, pool: PoolSettings): object {
  switch (application.type) {
    case 'postgres':
      return postgresOptions(application, pool);
    case 'mysql':
    case 'mariadb':
      return mysqlOptions(application, pool);
    default:
      // 0: a busy file is an error at once, which is retried without blocking the event loop. WAL mode is set by us, for the same reason.
      // `verbose` is told every statement with its values, as a logger is.
      return { timeout: 0, enableWAL: false, verbose: undefined };
  }
}
