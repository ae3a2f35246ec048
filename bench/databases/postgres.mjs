import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
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
  const counters = await countersOf(observer);
  const count = async (sql) => Number((await observer.query(sql, [options.name])).rows[0].count);
  return {
    address: { ...options, server },
    options,
    query: async (sql) => (await connection.query(sql)).rows,
    vacuum: () => connection.query('VACUUM ANALYZE pq_job'),
    statements: () => count(counters.statements),
    counters: async () => ({ statements: await count(counters.statements), commits: await count(counters.commits) }),
    serverPid: await pidOf(observer),
    openBare: () => openBare(options.url),
    close: async () => {
      await connection.end();
      await observer.end();
    },
  };
}

/**
 * Commits are statements of kinds that write: ours need no transaction around them. Without pg_stat_statements both are transactions,
 * of which a statement outside of one is one. The server's own housekeeping is among them, and it is told late.
 */
async function countersOf(observer) {
  const statements =
    'SELECT COALESCE(SUM(calls), 0) AS count FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid WHERE d.datname = $1';
  try {
    await observer.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
    await observer.query(statements, ['']);
    return { statements, commits: `${statements} AND wal_records > 0 AND query NOT ILIKE 'COMMIT%'` };
  } catch {
    const transactions = 'SELECT xact_commit + xact_rollback AS count FROM pg_stat_database WHERE datname = $1';
    return { statements: transactions, commits: transactions };
  }
}

async function connect(url) {
  const client = new Client(url);
  await client.connect();
  return client;
}

/** Of the process that has started those of all connections; undefined when the server is on another machine. */
async function pidOf(client) {
  const { rows } = await client.query('SHOW data_directory');
  try {
    return Number.parseInt(readFileSync(join(rows[0].data_directory, 'postmaster.pid'), 'utf8'), 10);
  } catch {
    return undefined;
  }
}
