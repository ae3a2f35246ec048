import { UnsupportedDatabaseError } from '../errors/unsupported-database.error.js';
import type { QueueTables } from './queue-tables.js';
import { optional } from './row.js';
import { statement, type Row, type Statement } from './statement.js';

/** Where a connection leads, in the server's own words: addresses differ between a socket, TCP and a proxy. */
export interface Whereabouts {
  readonly database: string;
  /** The table of jobs that the connection finds by its name: on PostgreSQL the search path decides. */
  readonly table: string;
  readonly server: string;
  /** A proxy may answer reads from a replica: that tells nothing about where writes go. */
  readonly isReplica: boolean;
  /** What the connection speaks. Only the MySQL family replaces without an error what that cannot carry. */
  readonly charsets: readonly (string | undefined)[];
}

/**
 * The names of columns are single small words, which no hook of an application rewrites. A server of PostgreSQL is known by the
 * moment of its start, which anybody may read, and which no copy of the server shares.
 */
export function askWhereabouts({ dialect, names }: QueueTables): Statement {
  if (dialect.name === 'postgres') {
    return statement(
      `SELECT current_database() AS name, COALESCE(to_regclass('${names.job}')::oid, 0)::text AS place, ` +
        '(extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint::text AS server, ' +
        'CASE WHEN pg_is_in_recovery() THEN 1 ELSE 0 END AS replica',
    );
  }
  const server = dialect.name === 'mysql' ? '@@server_uuid' : "CONCAT_WS(' ', @@hostname, @@port, @@datadir)";
  return statement(
    'SELECT IF(@@lower_case_table_names = 0, DATABASE(), LOWER(DATABASE())) AS name, ' +
      `${server} AS server, @@global.read_only AS replica, @@character_set_client AS client, ` +
      '@@character_set_connection AS wire, @@character_set_results AS results',
  );
}

export function readWhereabouts(row: Row): Whereabouts {
  return {
    database: optional(row['name']) ?? 'no database',
    table: optional(row['place']) ?? '',
    server: optional(row['server']) ?? '',
    isReplica: !['0', 'OFF'].includes(String(row['replica'])),
    charsets: [row['client'], row['wire'], row['results']].map(optional),
  };
}

export function isSamePlace(one: Whereabouts, other: Whereabouts): boolean {
  if (one.database !== other.database || one.table !== other.table) return false;
  return one.server === other.server || one.isReplica || other.isReplica;
}

export function describePlace({ database, table, server }: Whereabouts, job: string): string {
  if (table === '0') return `${database} (no table ${job} in the search path)`;
  return table === '' ? `${database} on ${server}` : `${database} (table ${job} with the oid ${table})`;
}

/** Members of a cluster are different servers, and one database. Unlike `SELECT @@…`, this does not fail where a variable is unknown. */
export function askCluster(): Statement {
  return statement(
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('group_replication_group_name', 'wsrep_on', 'wsrep_cluster_name')",
  );
}

/** The name that the members share; `undefined` when the server is a member of none. */
export function readCluster(rows: readonly Row[]): string | undefined {
  const variables = new Map(rows.map((row) => Object.values(row).map(String) as [name: string, value: string]));
  const galera = variables.get('wsrep_on') === 'ON' ? variables.get('wsrep_cluster_name') : undefined;
  return variables.get('group_replication_group_name') || galera || undefined;
}

/** What the connection cannot carry, the server replaces without an error: payloads would be damaged, and different keys be one. */
export function refuseNarrowCharset({ charsets }: Whereabouts): void {
  const narrow = charsets.find((charset) => charset !== undefined && !['utf8mb4', 'binary'].includes(charset));
  if (narrow === undefined) return;
  throw new UnsupportedDatabaseError(
    `charset ${narrow}`,
    "The manager's connection cannot carry every payload and key",
    "Set charset: 'utf8mb4' on the connection, or enqueue without a manager.",
  );
}
