/** Each exports `open()`, which answers the database, or undefined when it cannot be started here. */
const MODULES = {
  sqlite: './sqlite.mjs',
  mariadb: './mariadb.mjs',
  mysql: './mysql.mjs',
  postgres: './postgres.mjs',
};

export const DATABASES = Object.keys(MODULES);

/**
 * A durable, empty database with
 *
 *     dialect              which SQL is spoken: 'mysql', 'postgres' or 'sqlite'
 *     port                 of the server; undefined when there is none
 *     optionsThrough(port) of an application's DataSource that goes through a proxy on that port
 *     direct               how `connect()` reaches it past every proxy, as JSON
 *     crash(), restart()   kill -9 and a start on the same data
 *     stop()               removes everything
 */
export async function openDatabase(name) {
  const { open } = await import(MODULES[name]);
  return open();
}
