import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { startPostgres } from '../../test/support/servers.mjs';
import { drainBare } from '../bare/postgres.mjs';

export async function openPostgres() {
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
  const countSql = await statementCounter(administrator);
  const url = new URL(server);
  url.pathname = `/${name}`;
  const connection = await connect(url.href);
  return {
    options: { name, type: 'postgres', url: url.href },
    query: async (sql) => (await connection.query(sql)).rows,
    vacuum: () => connection.query('VACUUM ANALYZE pq_job'),
    // Asked from another database, so that the questions do not count themselves.
    statements: async () => Number((await administrator.query(countSql, [name])).rows[0].count),
    drainBare: (type) => drainBare(connection, type),
    drop: async () => {
      await connection.end();
      await administrator.query(`DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

/** Without pg_stat_statements: transactions, of which a statement outside of one is one. The server's own housekeeping is among them. */
async function statementCounter(administrator) {
  const extension = 'CREATE EXTENSION IF NOT EXISTS pg_stat_statements';
  const sql =
    'SELECT COALESCE(SUM(calls), 0) AS count FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid WHERE d.datname = $1';
  try {
    await administrator.query(extension);
    await administrator.query(sql, ['']);
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
