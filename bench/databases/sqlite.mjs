import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { openBare } from '../bare/sqlite.mjs';

export async function open() {
  const folder = mkdtempSync(join(tmpdir(), 'pq-bench-'));
  const stop = () => rmSync(folder, { recursive: true, force: true });
  process.on('exit', stop);
  let stores = 0;
  return {
    title: `SQLite ${new Sqlite(':memory:').prepare('SELECT sqlite_version()').pluck().get()}`,
    create: () => createStore(join(folder, `${++stores}.sqlite`)),
    stop: async () => stop(),
  };
}

async function createStore(file) {
  const store = await attach({ file });
  return {
    ...store,
    drop: async () => {
      await store.close();
      for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
    },
  };
}

export async function attach({ file, countStatements = false }) {
  const connection = new Sqlite(file);
  connection.pragma('journal_mode = WAL');
  connection.pragma('synchronous = FULL');
  const statements = countStatements ? countCalls(connection) : () => 0;
  return {
    address: { file },
    options: { name: file, type: 'better-sqlite3', database: file, enableWAL: true, timeout: 0 },
    query: async (sql) => {
      const statement = connection.prepare(sql);
      return statement.reader ? statement.all() : statement.run();
    },
    vacuum: async () => connection.pragma('wal_checkpoint(TRUNCATE)'),
    statements: async () => statements(),
    openBare: async () => openBare(file),
    close: async () => connection.close(),
  };
}

/** Counts what any connection of this process is asked from now on: the library takes the driver's own hook off its connection. */
function countCalls(connection) {
  let calls = 0;
  const count = (prototype, names) => {
    for (const name of names) {
      const method = prototype[name];
      prototype[name] = function counted(...args) {
        calls++;
        return method.apply(this, args);
      };
    }
  };
  count(Object.getPrototypeOf(connection.prepare('SELECT 1')), ['run', 'get', 'all', 'iterate']);
  count(Sqlite.prototype, ['exec']);
  return () => calls;
}
