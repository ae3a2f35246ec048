/** Each exports `open()`, which answers the database, or undefined when it cannot be started here. */
const MODULES = {
  sqlite: './sqlite.mjs',
  mariadb: './mariadb.mjs',
  mysql: './mysql.mjs',
  postgres: './postgres.mjs',
};

export const DATABASES = Object.keys(MODULES);

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
 */
export async function openDatabase(name) {
  const { open } = await import(MODULES[name]);
  return open();
}
