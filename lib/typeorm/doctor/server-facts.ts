import type { QueueTables } from '../queue-tables.js';
import { statement, type Row, type Script } from '../statement.js';

/** What a server says of itself, and of this connection. */
export interface ServerFacts {
  readonly product: string;
  readonly version: string;
  /** Of the application's transactions. */
  readonly isolation: string;
  readonly commitsByItself: boolean;
  readonly isReadOnly: boolean;
}

const PRODUCTS = { mariadb: 'MariaDB', mysql: 'MySQL', postgres: 'PostgreSQL', sqlite: 'SQLite' };

export function* readServer({ dialect }: QueueTables): Script<ServerFacts> {
  const { rows } = yield statement(`SELECT ${SETTINGS[dialect.name]}`);
  const [row = {}] = rows as Row[];
  return {
    product: PRODUCTS[dialect.name],
    version: String(row['version']),
    isolation: String(row['isolation']).toUpperCase().replaceAll('-', ' '),
    commitsByItself: Number(row['autocommit']) === 1,
    isReadOnly: !['0', 'OFF'].includes(String(row['replica'])),
  };
}

const OF_FAMILY = 'VERSION() AS version, @@session.autocommit AS autocommit, @@global.read_only AS replica';
const SETTINGS = {
  mariadb: `${OF_FAMILY}, @@session.tx_isolation AS isolation`,
  mysql: `${OF_FAMILY}, @@session.transaction_isolation AS isolation`,
  postgres:
    "current_setting('server_version') AS version, current_setting('default_transaction_isolation') AS isolation, 1 AS autocommit, " +
    "CASE WHEN pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on' THEN 1 ELSE 0 END AS replica",
  sqlite: "sqlite_version() AS version, 'SERIALIZABLE' AS isolation, 1 AS autocommit, 0 AS replica",
};

/** The database's clock. */
export function* readClock({ dialect }: QueueTables): Script<number> {
  const { rows } = yield statement(`SELECT ${dialect.now} AS now`);
  return Number(rows[0]?.['now']);
}

export interface ConnectionFacts {
  readonly used: number;
  /** For users like ours: a server keeps some for its administrators. */
  readonly limit: number;
}

/** Of all clients of the server. */
export function* readConnections({ dialect }: QueueTables): Script<ConnectionFacts> {
  if (dialect.name === 'postgres') {
    const { rows } = yield statement(
      "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int " +
        "- COALESCE(current_setting('reserved_connections', true), '0')::int AS most, " +
        // Of the sessions of others, a role without pg_read_all_stats is not told what they are: only clients have a user and a database.
        "(SELECT COUNT(*) FROM pg_stat_activity WHERE backend_type = 'client backend' " +
        'OR (backend_type IS NULL AND usesysid IS NOT NULL AND datid IS NOT NULL)) AS used',
    );
    return { used: Number(rows[0]?.['used']), limit: Number(rows[0]?.['most']) };
  }
  const status = yield statement("SHOW GLOBAL STATUS LIKE 'Threads_connected'");
  const limit = yield statement('SELECT @@global.max_connections AS most');
  return { used: Number(status.rows[0]?.['Value']), limit: Number(limit.rows[0]?.['most']) };
}
