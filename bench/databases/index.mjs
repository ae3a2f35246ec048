/** Each exports `open()`, which answers the server, or undefined when it cannot be started here, and `attach(address)`. */
const MODULES = {
  sqlite: './sqlite.mjs',
  mariadb: './mariadb.mjs',
  mysql: './mysql.mjs',
  postgres: './postgres.mjs',
  redis: './redis.mjs',
};

/** What is left without what only peers store in. */
export const DATABASES = Object.keys(MODULES).filter((name) => name !== 'redis');
export const SERVERS = Object.keys(MODULES);

/**
 * A durable database server (or folder) with
 *
 *     title            for people
 *     create()         a store: a fresh, empty database in it
 *     stop()           removes everything
 *
 * and a store with
 *
 *     address          for other processes: `attachStore(name, address)` answers the same store there, for which they `close()` it
 *     options          of the application's DataSource
 *     query(sql)       on a connection of its own
 *     vacuum()         what the engine would sooner or later do by itself after a bulk insert
 *     statements()     how many statements others have sent so far
 *     counters()       of a server: `{ statements, commits }`
 *     serverPid        its process, if that is on this machine
 *     openBare()       a connection for the loops and inserts without the library
 *     drop()
 *
 * Redis has only `address`, also on the server, `statements`, and `drop`.
 */
export async function openDatabase(name) {
  const { open } = await import(MODULES[name]);
  return open();
}

export async function attachStore(name, address) {
  const { attach } = await import(MODULES[name]);
  return attach(address);
}
