import { randomBytes } from 'node:crypto';
import mysql from 'mysql2/promise';
import { startMariaDb } from '../../test/support/servers.mjs';
import { drainBare } from '../bare/mariadb.mjs';

export async function open() {
  const server = process.env.MARIADB_URL
    ? { url: process.env.MARIADB_URL, stop: async () => undefined }
    : await startMariaDb({ durable: true });
  if (server === undefined) return undefined;
  const connection = await mysql.createConnection(server.url);
  const [[{ version }]] = await connection.query('SELECT VERSION() AS version');
  return {
    title: `MariaDB ${version}`,
    create: () => createStore(connection, server.url),
    stop: async () => {
      await connection.end();
      await server.stop();
    },
  };
}

async function createStore(administrator, server) {
  const name = `bench_${randomBytes(6).toString('hex')}`;
  await administrator.query(`CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  const connection = await mysql.createConnection(url.href);
  let probes = 0;
  return {
    options: { name, type: 'mariadb', url: url.href },
    query: async (sql) => (await connection.query(sql))[0],
    vacuum: async () => undefined,
    // What the whole server was asked, less these questions themselves.
    statements: async () => {
      const [[{ Value }]] = await connection.query("SHOW GLOBAL STATUS LIKE 'Questions'");
      return Number(Value) - ++probes;
    },
    drainBare: (type) => drainBare(connection, type),
    drop: async () => {
      await connection.end();
      await administrator.query(`DROP DATABASE ${name}`);
    },
  };
}
