import { knex as createKnex, type Knex } from 'knex';
import { createConnection as connectWithCallbacks, createPool as poolWithCallbacks, type QueryResult } from 'mysql2';
import { createConnection, createPool, type Connection } from 'mysql2/promise';
import { Client, Pool, type ClientBase } from 'pg';
import type { JobManager } from '../../lib/repository/job-repository.js';
import type { TestDatabase } from './databases.js';

/** A transaction of the application in another library than TypeORM. */
export interface CallerTransaction {
  readonly manager: JobManager;
  readonly sql: (text: string) => Promise<unknown>;
  commit(): Promise<unknown>;
  rollback(): Promise<unknown>;
}

/** One connection of the application in another library than TypeORM. */
export interface Caller {
  begin(): Promise<CallerTransaction>;
  close(): Promise<unknown>;
}

export type OpenCaller = (url: string) => Promise<Caller>;

/** Every kind of connection that `manager` may be, for one server. */
export function callersOf(database: Exclude<TestDatabase['name'], 'sqlite'>): [name: string, open: OpenCaller][] {
  return Object.entries(database === 'postgres' ? postgresCallers : mysqlCallers);
}

const mysqlCallers: Record<string, OpenCaller> = {
  async 'a connection of mysql2/promise'(url) {
    const connection = await createConnection(url);
    return { begin: () => mysqlTransaction(connection, connection), close: () => connection.end() };
  },
  async 'a connection of mysql2 with callbacks'(url) {
    const connection = connectWithCallbacks(url);
    return { begin: () => mysqlTransaction(connection.promise(), connection), close: () => connection.promise().end() };
  },
  async 'a connection from a pool of mysql2/promise'(url) {
    const pool = createPool({ uri: url, connectionLimit: 1 });
    return {
      async begin() {
        const connection = await pool.getConnection();
        return mysqlTransaction(connection, connection, () => connection.release());
      },
      close: () => pool.end(),
    };
  },
  async 'a connection from a pool of mysql2 with callbacks'(url) {
    const pool = poolWithCallbacks({ uri: url, connectionLimit: 1 });
    return {
      async begin() {
        const connection = await new Promise<ReturnType<typeof connectWithCallbacks> & { release(): void }>(
          (resolve, reject) => pool.getConnection((error, taken) => (error ? reject(error) : resolve(taken))),
        );
        return mysqlTransaction(connection.promise(), connection, () => connection.release());
      },
      close: () => pool.promise().end(),
    };
  },
  async 'a wrapper that answers rows only, and prepares its statements'(url) {
    const connection = await createConnection(url);
    return {
      begin: () =>
        mysqlTransaction(connection, {
          async query(sql: string, parameters: (string | number | null)[]) {
            const [result] = await connection.execute<QueryResult>(sql, parameters);
            return Array.isArray(result) ? result : [];
          },
        }),
      close: () => connection.end(),
    };
  },
  'a transaction of knex': (url) => knexCaller('mysql2', url),
};

const postgresCallers: Record<string, OpenCaller> = {
  async 'a client of pg'(url) {
    const client = new Client(url);
    await client.connect();
    return { begin: () => postgresTransaction(client, client), close: () => client.end() };
  },
  async 'a client from a pool of pg'(url) {
    const pool = new Pool({ connectionString: url, max: 1 });
    return {
      async begin() {
        const client = await pool.connect();
        return postgresTransaction(client, client, () => client.release());
      },
      close: () => pool.end(),
    };
  },
  async 'a wrapper that answers rows only'(url) {
    const client = new Client(url);
    await client.connect();
    const query = async (sql: string, parameters: unknown[]) => (await client.query(sql, parameters)).rows as unknown[];
    return { begin: () => postgresTransaction(client, { query }), close: () => client.end() };
  },
  'a transaction of knex': (url) => knexCaller('pg', url),
};

async function mysqlTransaction(
  connection: Connection,
  manager: JobManager,
  release: () => void = () => undefined,
): Promise<CallerTransaction> {
  await connection.query('START TRANSACTION');
  return {
    manager,
    sql: (text) => connection.query(text),
    commit: () => connection.query('COMMIT').finally(release),
    rollback: () => connection.query('ROLLBACK').finally(release),
  };
}

async function postgresTransaction(
  client: ClientBase,
  manager: JobManager,
  release: () => void = () => undefined,
): Promise<CallerTransaction> {
  await client.query('BEGIN');
  return {
    manager,
    sql: (text) => client.query(text),
    commit: () => client.query('COMMIT').finally(release),
    rollback: () => client.query('ROLLBACK').finally(release),
  };
}

async function knexCaller(client: 'mysql2' | 'pg', url: string): Promise<Caller> {
  const knex = createKnex({ client, connection: url, pool: { min: 0, max: 1 } });
  let transaction: Knex.Transaction | undefined;
  return {
    async begin() {
      const begun = (transaction = await knex.transaction());
      return {
        manager: begun,
        sql: async (text) => begun.raw(text),
        commit: async () => begun.commit(),
        rollback: async () => begun.rollback(),
      };
    },
    async close() {
      // Would be waited for without an end.
      if (transaction?.isCompleted() === false) await transaction.rollback();
      await knex.destroy();
    },
  };
}
