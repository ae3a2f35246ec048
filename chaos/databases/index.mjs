import { startMariaDb, startMySql } from '../../test/support/servers.mjs';
import { openGalera } from './galera.mjs';
import { openFamily } from './mysql-family.mjs';
import { openPostgres } from './postgres.mjs';
import { openSqlite } from './sqlite.mjs';

const OPENERS = {
  sqlite: openSqlite,
  mariadb: () => openFamily('mariadb', startMariaDb),
  mysql: () => openFamily('mysql', startMySql),
  postgres: openPostgres,
  galera: openGalera,
};

export const DATABASES = Object.keys(OPENERS);

/**
 * A durable, empty database with
 *
 *     dialect              which SQL is spoken: 'mysql', 'galera', 'postgres' or 'sqlite'
 *     workers              how many there are unless somebody says otherwise
 *     port                 of the server; undefined when there is none
 *     serversFor(index)    `{ host, port }` of the servers that the process of this number connects to, the first that answers
 *     members              of a cluster: `kill()`, `start()`, `isolate()`, `rejoin()`, each until it is done; undefined elsewhere
 *     optionsThrough(port) of an application's DataSource that goes through a proxy on that port
 *     direct               how `connect()` reaches it past every proxy, as JSON
 *     crash(), restart()   kill -9 and a start on the same data; not of a cluster
 *     stop()               removes everything
 *
 * or undefined when it cannot be started here.
 */
export function openDatabase(name) {
  return OPENERS[name]();
}
