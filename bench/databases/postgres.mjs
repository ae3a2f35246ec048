import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { startPostgres } from '../../test/support/servers.mjs';
import { openBare } from '../bare/postgres.mjs';

export async function open() {
  const server = process.env.POSTGRES_URL
    ? { url: process.env.POSTGRES_URL, stop: async () => undefined }
    : await startPostgres({ durable: true });
  if (server === undefined) return undefined;
  const connection = await connect(server.url);
  const { rows } = await connection.query('SHOW server_version');
  return {
    title: `PostgreSQL ${rows[0].server_version}`,
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
  const store = await attach({ name, type: 'postgres', url: url.href, server });
  return {
    ...store,
    drop: async () => {
      await store.close();
      await administrator.query(`DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

export async function attach({ server, ...options }) {
  const connection = await connect(options.url);
  // Asked from another database, so that the questions do not count themselves.
  const observer = await connect(server);
  const countSql = await statementCounter(observer);
  return {
    address: { ...options, server },
    options,
    query: async (sql) => (await connection.query(sql)).rows,
    vacuum: () => connection.query('VACUUM ANALYZE pq_job'),
    statements: async () => Number((await observer.query(countSql, [options.name])).rows[0].count),
    openBare: () => openBare(options.url),
    close: async () => {
      await connection.end();
      await observer.end();
    },
  };
}

/** Without pg_stat_statements: transactions, of which a statement outside of one is one. The server's own housekeeping is among them. */
async function statementCounter(observer) {
  const extension = 'CREATE EXTENSION IF NOT EXISTS pg_stat_statements';
  const sql =
    'SELECT COALESCE(SUM(calls), 0) AS count FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid WHERE d.datname = $1';
  try {
    await observer.query(extension);
    await observer.query(sql, ['']);
    return sql;
  } catch {
    return 'SELECT xact_commit + xact_rollback AS count FROM pg_stat_database WHERE datname = $1';
  }
}

async function connect(url) {
  const client = new Client(url);
  await client.connect();
  return client;
}
