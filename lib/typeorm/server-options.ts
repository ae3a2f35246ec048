import type { DataSourceOptions } from 'typeorm';

/** Of our connections to the MySQL family, whatever the application's is: it carries every payload and key. */
const CHARSET = 'utf8mb4';
/** In milliseconds; mysql2's default. pg would wait for as long as the network does. */
const CONNECT_TIMEOUT = 10_000;

type PostgresOptions = Extract<DataSourceOptions, { type: 'postgres' }>;
type MysqlOptions = Extract<DataSourceOptions, { type: 'mysql' | 'mariadb' }>;

/** What mysql2 takes and TypeORM does not name. */
interface MysqlExtra {
  readonly flags?: string | readonly string[];
  readonly connectAttributes?: object;
}

export interface PoolSettings {
  readonly connections: number;
  readonly serviceName: string;
}

/** The application's way to its PostgreSQL. */
export function postgresOptions(application: PostgresOptions, { connections, serviceName }: PoolSettings): object {
  const master = application.replication?.master ?? application;
  return {
    ...onlyTo(master),
    ssl: master.ssl,
    applicationName: application.applicationName ?? master.applicationName,
    connectTimeoutMS: application.connectTimeoutMS ?? CONNECT_TIMEOUT,
    // Extensions, notices and errors of idle connections are the application's affair, not ours.
    installExtensions: false,
    logNotifications: false,
    poolErrorHandler: undefined,
    extra: {
      // Only where neither the application nor PGAPPNAME has said another one.
      fallback_application_name: clientName(serviceName),
      ...application.extra,
      max: connections,
      binary: false,
      // As the server writes it: parsers may have been changed for the whole process, or for the application's pool.
      types: { getTypeParser: () => String },
      // Limits for the application's statements: ours have their own.
      query_timeout: undefined,
      statement_timeout: undefined,
    },
  };
}

/** The application's way to its MariaDB or MySQL. */
export function mysqlOptions(application: MysqlOptions, { connections, serviceName }: PoolSettings): object {
  const extra = application.extra as MysqlExtra | undefined;
  return {
    ...onlyTo(application.replication?.master ?? application),
    // The driver reads all of these from `extra` last: what the application has there must not leak in.
    extra: {
      ...extra,
      charset: CHARSET,
      flags: withFoundRows(extra?.flags ?? application.flags),
      connectAttributes: { program_name: clientName(serviceName), ...extra?.connectAttributes },
      connectionLimit: connections,
      waitForConnections: true,
      queueLimit: 0,
      // Would undo what is set once on each new connection.
      resetOnRelease: false,
      multipleStatements: false,
      debug: false,
      ...PLAIN_ROWS,
    },
  };
}

/** How our statements are written and our rows are read, whatever the application prefers for its own. */
const PLAIN_ROWS = {
  queryFormat: undefined,
  typeCast: true,
  rowsAsArray: false,
  nestTables: undefined,
  supportBigNumbers: true,
  bigNumberStrings: true,
};

/**
 * Replicas are never written to, and what is read of them may be too old: of a replicated DataSource only the master is ours. A
 * pool of its own for it, because mysql2's cluster would forget the master for ever after five errors.
 */
function onlyTo(server: object): object {
  const { url, host, port, username, password, database, socketPath } = server as Record<string, unknown>;
  return { replication: undefined, url, host, port, username, password, database, socketPath };
}

/** Without it an update would count only the rows that it has changed; we count those that are ours. */
function withFoundRows(flags: string | readonly string[] | undefined): string[] | undefined {
  const list = typeof flags === 'string' ? flags.split(',') : flags;
  return list?.map((flag) => flag.trim()).filter((flag) => flag.toUpperCase() !== '-FOUND_ROWS');
}

/** What operators see of us in the server's list of connections. PostgreSQL keeps 63 characters. */
function clientName(serviceName: string): string {
  return `nestjs-persistent-queue:${serviceName}`.slice(0, 63);
}
