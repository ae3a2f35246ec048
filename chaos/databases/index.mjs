import { startMariaDb, startMySql } from '../../test/support/servers.mjs';
import { openFamily } from './mysql-family.mjs';
import { openPostgres } from './postgres.mjs';
import { openSqlite } from './sqlite.mjs';

const OPENERS = {
  sqlite: openSqlite,
  mariadb: () => openFamily('mariadb', startMariaDb),
  mysql: () => openFamily('mysql', startMySql),
  postgres: openPostgres,
};

export const DATABASES = Object.keys(OPENERS);

/**
 * A durable, empty database with
 *
 *     dialect              which SQL is spoken: 'mysql', 'postgres' or 'sqlite'
 *     port                 of the server; undefined when there is none
 *     optionsThrough(port) of an application's DataSource that goes through a proxy on that port
 *     direct               how `connect()` reaches it past every proxy, as JSON
 *     crash(), restart()   kill -9 and a start on the same data
 *     stop()               removes everything
 *
 * or undefined when it cannot be started here.
 */
export function openDatabase(name) {
  return OPENERS[name]();
}
