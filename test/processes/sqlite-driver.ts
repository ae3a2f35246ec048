/**
 * What `npm test` says is to be tested in better-sqlite3's place: `node:sqlite`, or the path of a package with the same interface.
 * A class cannot be told to another process, so that each asks for itself. Undefined means the installed better-sqlite3.
 */
export async function sqliteDriver(): Promise<unknown> {
  const name = process.env['PQ_TEST_SQLITE_DRIVER'];
  if (name === undefined) return undefined;
  if (name === 'node:sqlite') return (await import('nestjs-persistent-queue/node-sqlite')).NodeSqlite;
  const { default: driver } = (await import(name)) as { default: unknown };
  return driver;
}
