import type { EventEmitter } from 'node:events';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { BUSY_RETRY } from './busy-retry.js';
import type { Database } from './database.js';
import { detectDialect } from './detect-dialect.js';
import { retryRolledBack } from './retry-rolled-back.js';
import { ServerDatabase } from './server.database.js';
import { SqliteDatabase } from './sqlite.database.js';

/** Of our connections to the MySQL family, whatever the application's is: it carries every payload and key. */
const CHARSET = 'utf8mb4';

/** Opens connections of our own to the database that the application's DataSource is connected to. */
export async function openDatabase(application: DataSource, connections: number): Promise<Database> {
  // SQLite reads the file before it answers anything, even its version.
  const dialect = await retryRolledBack(BUSY_RETRY, () => detectDialect(application.options, application));
  const options = ownOptions(application.options, connections);
  if (dialect.name === 'sqlite') return retryRolledBack(BUSY_RETRY, () => openSqlite(options));
  const own = await new DataSource(options).initialize();
  if (dialect.name === 'postgres') hearEveryError(own);
  return new ServerDatabase(own, dialect, connections);
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

/** The application's way to its server, and nothing that would make TypeORM touch its schema, entities or cache. */
function ownOptions(application: DataSourceOptions, connections: number): DataSourceOptions {
  const { extra } = application as { extra?: object };
  return {
    ...application,
    entities: [],
    subscribers: [],
    migrations: [],
    synchronize: false,
    migrationsRun: false,
    dropSchema: false,
    cache: false,
    // A logger of the application's own is told every statement, whatever `logging` says: payloads are none of its business.
    logging: false,
    logger: undefined,
    maxQueryExecutionTime: undefined,
    poolSize: connections,
    ...driverOptions(application, extra, connections),
  } as DataSourceOptions;
}

/** Drivers read the size of the pool and the charset from `extra` first, so that the application's own must not leak in. */
function driverOptions(application: DataSourceOptions, extra: object | undefined, connections: number): object {
  switch (application.type) {
    case 'better-sqlite3':
      // 0: a busy file is an error at once, which is retried without blocking the event loop. WAL mode is set by us, for the same reason.
      // `verbose` is told every statement with its values, as a logger is.
      return { timeout: 0, enableWAL: false, verbose: undefined };
    case 'postgres':
      return { extra: { ...extra, max: connections } };
    default:
      return { charset: CHARSET, extra: { ...extra, connectionLimit: connections, charset: CHARSET } };
  }
}
