/** A connection of our own, past TypeORM, the library and every proxy: `query(sql)` answers rows. */
export function connect({ dialect, url, file }) {
  return CONNECTORS[dialect](url ?? file);
}

const CONNECTORS = {
  async mysql(url) {
    const { default: mysql } = await import('mysql2/promise');
    const connection = await mysql.createConnection(url);
    return { query: async (sql) => (await connection.query(sql))[0], close: () => connection.end() };
  },
  /** Each answer is of all that was committed on any member before. */
  async galera(url) {
    const connection = await CONNECTORS.mysql(url);
    await connection.query('SET SESSION wsrep_sync_wait = 7');
    return connection;
  },
  async postgres(url) {
    const { Client } = await import('pg');
    const client = new Client({ connectionString: url });
    await client.connect();
    return { query: async (sql) => (await client.query(sql)).rows, close: () => client.end() };
  },
  async sqlite(file) {
    const { default: Sqlite } = await import('better-sqlite3');
    const connection = new Sqlite(file, { timeout: 60_000 });
    return {
      query: async (sql) => {
        const statement = connection.prepare(sql);
        return statement.reader ? statement.all() : statement.run();
      },
      close: async () => connection.close(),
    };
  },
};
