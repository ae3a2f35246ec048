import { DataSource, type DataSourceOptions } from 'typeorm';
import type { Database } from './database.js';
import { detectDialect } from './detect-dialect.js';
import { ServerDatabase } from './server.database.js';
import { SqliteDatabase } from './sqlite.database.js';

/** Opens connections of our own to the database that the application's DataSource is connected to. */
export async function openDatabase(application: DataSource, connections: number): Promise<Database> {
  const dialect = await detectDialect(application.options, application);
  const own = new DataSource(ownOptions(application.options, connections));
  await own.initialize();
  if (dialect.name !== 'sqlite') return new ServerDatabase(own, dialect, connections);
  return new SqliteDatabase(own, Reflect.get(own.driver, 'databaseConnection'));
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
    logging: false,
    poolSize: connections,
    ...driverOptions(application, extra, connections),
  } as DataSourceOptions;
}

/** Drivers read the size of the pool from `extra` first, so that the application's own must not leak in. */
function driverOptions(application: DataSourceOptions, extra: object | undefined, connections: number): object {
  switch (application.type) {
    case 'better-sqlite3':
      // 0: a busy file is an error at once, which is retried without blocking the event loop.
      return { timeout: 0 };
    case 'postgres':
      return { extra: { ...extra, max: connections } };
    default:
      return { extra: { ...extra, connectionLimit: connections } };
  }
}
