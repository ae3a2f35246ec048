import type { DataSourceOptions } from 'typeorm';
import { UnsupportedDatabaseError } from '../errors/unsupported-database.error.js';
import type { Dialect } from './dialects/dialect.js';
import { inGalera } from './dialects/galera.js';
import { mariadbDialect } from './dialects/mariadb.dialect.js';
import { mysqlDialect, mysqlDialectOfBytes } from './dialects/mysql.dialect.js';
import { postgresDialect } from './dialects/postgres.dialect.js';
import { sqliteDialect } from './dialects/sqlite.dialect.js';

const SUPPORTED =
  'Use MySQL 8.0.13+ or MariaDB 10.6+ (type mysql or mariadb), PostgreSQL 13+ (type postgres) or SQLite 3.38+ (type better-sqlite3).';

/** A DataSource, or one connection of it. */
interface Queryable {
  query(sql: string): Promise<unknown>;
}

/** Asks the server what it is: TypeORM's `type` does not tell MariaDB from MySQL. */
export async function detectDialect(options: DataSourceOptions, connection: Queryable): Promise<Dialect> {
  switch (options.type) {
    case 'mysql':
    case 'mariadb':
      return mysqlFamily(connection);
    case 'postgres':
      return postgres(await readVersion(connection, "SELECT current_setting('server_version') AS version"));
    case 'better-sqlite3':
      refuseUnsafeSqlite(options);
      return sqlite(await readVersion(connection, 'SELECT sqlite_version() AS version'));
    default:
      throw new UnsupportedDatabaseError(options.type, 'This DataSource type cannot keep the promises', SUPPORTED);
  }
}

/** What a server of this type speaks, without asking one: of MySQL that of 8.0.17 and newer. `undefined`: no database of ours. */
export function assumedDialect(type: string): Dialect | undefined {
  const dialects: Record<string, Dialect> = {
    mariadb: mariadbDialect,
    mysql: mysqlDialect,
    postgres: postgresDialect,
    'better-sqlite3': sqliteDialect,
  };
  return dialects[type];
}

async function readVersion(connection: Queryable, sql: string): Promise<string> {
  const rows = (await connection.query(sql)) as { version: string }[];
  return String(rows[0]?.version);
}

async function mysqlFamily(connection: Queryable): Promise<Dialect> {
  const dialect = ofVersion(await readVersion(connection, 'SELECT VERSION() AS version'));
  const variables = await readVariables(connection);
  refuseMultiPrimary(variables);
  return variables.get('wsrep_on') === 'ON' ? inGalera(dialect) : dialect;
}

const GROUP = 'group_replication_group_name';
const SINGLE_PRIMARY = 'group_replication_single_primary_mode';

/** Those that the server knows: of a cluster of its kind. */
async function readVariables(connection: Queryable): Promise<ReadonlyMap<string, string>> {
  const names = `'wsrep_on', '${GROUP}', '${SINGLE_PRIMARY}'`;
  const rows = await connection.query(`SHOW GLOBAL VARIABLES WHERE Variable_name IN (${names})`);
  return new Map((rows as Record<string, string>[]).map((row) => [String(row['Variable_name']), String(row['Value'])]));
}

/**
 * Row locks end at their member, and what replaces them on Galera has been seen to hold there alone: two nodes might have the same lock.
 * Known by its configuration, which is there before it has joined its group.
 */
function refuseMultiPrimary(variables: ReadonlyMap<string, string>): void {
  if (variables.get(SINGLE_PRIMARY) !== 'OFF' || !variables.get(GROUP)) return;
  throw new UnsupportedDatabaseError(
    `${SINGLE_PRIMARY} = OFF`,
    'In multi-primary mode no lock holds beyond its member',
    'Make the group single-primary: SELECT group_replication_switch_to_single_primary_mode().',
  );
}

function ofVersion(version: string): Dialect {
  if (version.includes('MariaDB')) {
    requireVersion('MariaDB', version.replace(/^5\.5\.5-/, ''), [10, 6, 0]);
    return mariadbDialect;
  }
  refuseTidb(version);
  requireVersion('MySQL', version, [8, 0, 13]);
  return isAtLeast(version, [8, 0, 17]) ? mysqlDialect : mysqlDialectOfBytes;
}

/** Whichever MySQL it claims to be. It accepts SKIP LOCKED and locks nothing: two nodes would have the same jobs. */
function refuseTidb(version: string): void {
  if (!version.includes('TiDB')) return;
  throw new UnsupportedDatabaseError(version, 'TiDB has neither SKIP LOCKED nor JSON_TABLE', SUPPORTED);
}

function postgres(version: string): Dialect {
  requireVersion('PostgreSQL', version, [13, 0, 0]);
  return postgresDialect;
}

function sqlite(version: string): Dialect {
  requireVersion('SQLite', version, [3, 38, 0], 'it lacks the ->> operator');
  return sqliteDialect;
}

function refuseUnsafeSqlite(options: DataSourceOptions): void {
  const { database, driver } = options as { database?: unknown; driver?: unknown };
  if (database === ':memory:' || database === '') {
    throw new UnsupportedDatabaseError(
      database,
      'An in-memory SQLite database cannot be shared or survive',
      "Give database a file, such as 'app.sqlite'.",
    );
  }
  if (isLibsql(driver)) {
    throw new UnsupportedDatabaseError(
      'libsql',
      'libsql loses committed writes after a SQLITE_BUSY, as test/process/sqlite-busy.spec.ts shows',
      'Leave out the driver option (better-sqlite3), or make it NodeSqlite of nestjs-persistent-queue/node-sqlite.',
    );
  }
}

/** libsql's class is named Database, as better-sqlite3's is: only libsql's has a `sync` method. */
function isLibsql(driver: unknown): boolean {
  return (
    typeof driver === 'function' && typeof (driver.prototype as { sync?: unknown } | undefined)?.sync === 'function'
  );
}

type Version = readonly [major: number, minor: number, patch: number];

function requireVersion(
  product: string,
  version: string,
  least: Version,
  lack = 'it lacks FOR UPDATE SKIP LOCKED, JSON tables or computed defaults',
): void {
  if (isAtLeast(version, least)) return;
  throw new UnsupportedDatabaseError(version, `${product} is too old: ${lack}`, SUPPORTED);
}

function isAtLeast(version: string, least: Version): boolean {
  const parts = version.split('.').map((part) => Number.parseInt(part, 10));
  const difference = least.map((number, index) => (parts[index] || 0) - number).find((each) => each !== 0) ?? 0;
  return difference >= 0;
}
