import { startMariaDb, startMySql } from '../../test/support/servers.mjs';
import { openFamily } from './mysql-family.mjs';
import { openPostgres } from './postgres.mjs';
import { openSqlite } from './sqlite.mjs';

const { MARIADB_URL, MYSQL_URL } = process.env;

const OPENERS = {
  sqlite: openSqlite,
  mariadb: () => openFamily({ type: 'mariadb', product: 'MariaDB', url: MARIADB_URL, start: startMariaDb }),
  mysql: () => openFamily({ type: 'mysql', product: 'MySQL', url: MYSQL_URL, start: startMySql }),
  postgres: openPostgres,
};

export const DATABASES = Object.keys(OPENERS);

/**
 * A durable database server (or folder) with
 *
 *     title            for people
 *     create(options)  a store: a fresh, empty database in it; `countStatements` when they will be asked for
 *     stop()           removes everything
 *
 * and a store with
 *
 *     options          of the application's DataSource
 *     query(sql)       on a connection of its own
 *     vacuum()         what the engine would sooner or later do by itself after a bulk insert
 *     statements()     how many statements others have sent so far
 *     drainBare(type)  takes every waiting job through claim and completion without the library; answers how many
 *     drop()
 *
 * Undefined when it cannot be started here.
 */
export function openDatabase(name) {
  return OPENERS[name]();
}
