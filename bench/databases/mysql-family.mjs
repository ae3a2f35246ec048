import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import mysql from 'mysql2/promise';
import { openBare } from '../bare/mariadb.mjs';

/** `type`: TypeORM's. `start` answers a server of our own, or undefined; `url` is that of one of the user's. */
export async function openFamily({ type, product, url, start }) {
  const server = url ? { url, stop: async () => undefined } : await start({ durable: true });
  if (server === undefined) return undefined;
  const connection = await mysql.createConnection(server.url);
  const [[{ version }]] = await connection.query('SELECT VERSION() AS version');
  return {
    title: `${product} ${version}`,
    create: () => createStore(connection, server.url, type),
    stop: async () => {
      await connection.end();
      await server.stop();
    },
  };
}

async function createStore(administrator, server, type) {
  const name = `bench_${randomBytes(6).toString('hex')}`;
  await administrator.query(`CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  const store = await attachFamily({ name, type, url: url.href });
  return {
    ...store,
    drop: async () => {
      await store.close();
      await administrator.query(`DROP DATABASE ${name}`);
    },
  };
}

export async function attachFamily(address) {
  const connection = await mysql.createConnection(address.url);
  let probes = 0;
  // What the whole server was asked, less these questions themselves.
  const counters = async () => {
    const [rows] = await connection.query("SHOW GLOBAL STATUS WHERE Variable_name IN ('Questions', 'Com_commit')");
    const { Questions, Com_commit } = Object.fromEntries(rows.map((row) => [row.Variable_name, Number(row.Value)]));
    return { statements: Questions - ++probes, commits: Com_commit };
  };
  return {
    address,
    options: address,
    query: async (sql) => (await connection.query(sql))[0],
    vacuum: async () => undefined,
    counters,
    statements: async () => (await counters()).statements,
    serverPid: await pidOf(connection),
    openBare: () => openBare(address.url),
    close: () => connection.end(),
  };
}

/** Undefined when the server is on another machine. */
async function pidOf(connection) {
  const [[{ file }]] = await connection.query('SELECT @@pid_file AS file');
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
