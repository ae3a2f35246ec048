import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { knex as createKnex } from 'knex';
import { createPool as poolWithCallbacks } from 'mysql2';
import { createConnection, createPool, type Connection } from 'mysql2/promise';
import { Client, Pool } from 'pg';
import type { DataSource } from 'typeorm';
import { ForeignManagerError } from '../../lib/errors/foreign-manager.error.js';
import { InvalidJobError } from '../../lib/errors/invalid-job.error.js';
import { TransactionUnusableError } from '../../lib/errors/transaction-unusable.error.js';
import { UnsupportedDatabaseError } from '../../lib/errors/unsupported-database.error.js';
import type { JobManager, SqlConnection } from '../../lib/repository/job-repository.js';
import { CallerConnections } from '../../lib/typeorm/caller-connections.js';
import { mariadbDialect } from '../../lib/typeorm/dialects/mariadb.dialect.js';
import { mysqlDialect } from '../../lib/typeorm/dialects/mysql.dialect.js';
import { postgresDialect } from '../../lib/typeorm/dialects/postgres.dialect.js';
import type { Dialect } from '../../lib/typeorm/dialects/dialect.js';
import type { Connected } from '../../lib/typeorm/queue-connection.js';
import { queueTables } from '../../lib/typeorm/queue-tables.js';
import { statement, type Row, type Script, type Statement } from '../../lib/typeorm/statement.js';
import { Turns } from '../../lib/typeorm/turns.js';
import { databases, type TestSchema } from '../support/databases.js';
import { QueueFixture } from '../support/queue-fixture.js';

describe.each(databases())('a manager of another library on $name', (database) => {
  let schema: TestSchema;
  let other: TestSchema;
  let dataSource: DataSource;
  let fixture: QueueFixture;
  const closing: (() => unknown)[] = [];
  beforeAll(async () => {
    [schema, other] = await Promise.all([database.create(), database.create()]);
    dataSource = await schema.connect();
    fixture = new QueueFixture(dataSource, {});
    await fixture.repository.open();
    const elsewhere = new QueueFixture(await other.connect(), {});
    await elsewhere.repository.open();
    await elsewhere.close();
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
    expect(await fixture.queue.counts()).toEqual([]);
  });
  afterAll(async () => {
    await fixture.close();
    await Promise.all([schema.drop(), other.drop()]);
  });

  const urlOf = ({ options }: TestSchema): string => Reflect.get(options, 'url');
  const enqueue = (manager: unknown) => fixture.queue.enqueue('t', null, { manager: manager as JobManager, key: 'k' });

  async function expectRefused(manager: unknown, message: RegExp): Promise<void> {
    await expect(enqueue(manager)).rejects.toThrow(InvalidJobError);
    await expect(enqueue(manager)).rejects.toThrow(message);
  }

  it('is refused when it is the DataSource', () =>
    expectRefused(dataSource, /manager.*DataSource.*dataSource\.transaction/));

  if (database.name === 'sqlite') {
    it('is refused, the driver’s own handle too', async () => {
      await expectRefused(Reflect.get(dataSource.driver, 'databaseConnection'), /Database.*jobQueue\.transaction\(\)/);
      await expectRefused({ query: () => Promise.resolve([]) }, /\{ query \}.*jobQueue\.transaction\(\)/);
    });
    return;
  }

  it('is refused when it is a pool, without its password', async () => {
    const uri = urlOf(schema);
    const pools =
      database.name === 'postgres' ? [new Pool({ connectionString: uri })] : [createPool(uri), poolWithCallbacks(uri)];
    for (const pool of pools) {
      closing.push(() => pool.end());
      await expectRefused(pool, /manager.*\(got '\w*Pool'\).*your transaction is open on/);
    }
  });

  it('is refused when it is a knex outside of a transaction', async () => {
    const knex = createKnex({ client: database.name === 'postgres' ? 'pg' : 'mysql2', connection: urlOf(schema) });
    closing.push(() => knex.destroy());
    await expectRefused(knex, /manager.*knex.*knex\.transaction\(\)/);
  });

  it('is refused when its answers are none', async () => {
    await expectRefused({ query: () => undefined }, /without rows.*promise of rows.*affectedRows/);
    await expectRefused({ query: () => [[1], [2], [3]] }, /rows as objects/);
    await expectRefused({ query: 'SELECT 1' }, /\{ query \}.*\{ query: \(sql, parameters\)/);
  });

  if (database.name === 'postgres') postgresCases();
  else mysqlCases();

  function postgresCases(): void {
    async function connect(target: TestSchema): Promise<Client> {
      const client = new Client(urlOf(target));
      await client.connect();
      closing.push(() => client.end());
      return client;
    }

    it('is refused when it leads to another database of the server', async () => {
      const client = await connect(other);
      await expect(enqueue(client)).rejects.toThrow(ForeignManagerError);
      await expect(enqueue(client)).rejects.toThrow(/pq_\w+ .*table pq_job.*connection of pq_/);
    });

    it('is refused as soon as its search path leads elsewhere', async () => {
      const client = await connect(schema);
      await client.query('BEGIN');
      await enqueue(client);
      await client.query('SET search_path TO nowhere');
      await expect(enqueue(client)).rejects.toThrow(ForeignManagerError);
      await expect(enqueue(client)).rejects.toThrow(/no table pq_job in the search path/);
      await client.query('ROLLBACK');
    });
  }

  function mysqlCases(): void {
    async function connect(target: TestSchema, charset = 'utf8mb4'): Promise<Connection> {
      const connection = await createConnection({ uri: urlOf(target), charset });
      closing.push(() => connection.end());
      return connection;
    }

    it('is refused when it leads to another database of the server', async () => {
      const connection = await connect(other);
      await expect(enqueue(connection)).rejects.toThrow(ForeignManagerError);
      await expect(enqueue(connection)).rejects.toThrow(/pq_\w+ on .*connection of pq_/);
    });

    it('is refused as soon as it USEs another database', async () => {
      const connection = await connect(schema);
      await connection.query('START TRANSACTION');
      await enqueue(connection);
      await connection.query('ROLLBACK');
      await connection.query(`USE ${new URL(urlOf(other)).pathname.slice(1)}`);
      await expect(enqueue(connection)).rejects.toThrow(ForeignManagerError);
    });

    it.each(['latin1', 'utf8'])('is refused with the charset %s', async (charset) => {
      const connection = await connect(schema, charset);
      await expect(enqueue(connection)).rejects.toThrow(UnsupportedDatabaseError);
      await expect(enqueue(connection)).rejects.toThrow(/charset (latin1|utf8).*utf8mb4/);
    });

    it('that begins a transaction with each statement is refused after a deadlock until that is over', async () => {
      const connection = await connect(schema);
      await connection.query('SET autocommit = 0');
      const manager = failingOnce(connection);
      await expect(enqueue(manager)).rejects.toMatchObject({ errno: 1213 });
      await expect(enqueue(manager)).rejects.toThrow(TransactionUnusableError);
      await connection.query('SELECT COUNT(*) FROM pq_job');
      await expect(enqueue(manager)).rejects.toThrow(TransactionUnusableError);
      await connection.query('ROLLBACK');
      expect((await enqueue(manager)).created).toBe(true);
      await connection.query('ROLLBACK');
    });
  }
});

/** The first INSERT fails as a deadlock does: nothing of its transaction is left. */
function failingOnce(connection: Connection): JobManager {
  let hasFailed = false;
  return {
    async query(sql: string, parameters: unknown[]) {
      if (hasFailed || !sql.startsWith('INSERT')) return connection.query(sql, parameters);
      hasFailed = true;
      await connection.query('ROLLBACK');
      throw Object.assign(new Error('Deadlock found'), { errno: 1213 });
    },
  };
}

describe('a connection that names its server', () => {
  interface Server {
    place: Row;
    cluster?: Row[];
  }

  const answers = ({ place, cluster = [] }: Server, sql: string) => (sql.startsWith('SHOW') ? cluster : [place]);
  const connected = (dialect: Dialect, own: Server[]): Connected => {
    const query = ({ sql }: Statement) => Promise.resolve({ rows: answers(own[0] as Server, sql) });
    return { database: { query }, tables: queueTables(dialect, 'pq_', 'shop') } as unknown as Connected;
  };
  const callerOf = (server: Server): SqlConnection => ({ query: (sql: string) => answers(server, sql) });
  const place = (server: string, more: Row = {}): Server => ({ place: { name: 'shop', server, replica: 0, ...more } });
  function* anything(): Script<string> {
    yield statement('SELECT 1');
    return 'accepted';
  }
  const run = (dialect: Dialect, own: Server, given: Server) =>
    new CallerConnections(new Turns()).run(callerOf(given), connected(dialect, [own]), anything());

  it.each([mysqlDialect, mariadbDialect, postgresDialect])(
    'is refused on another $name with a database of that name',
    async (dialect) => {
      await expect(run(dialect, place('one'), place('two'))).rejects.toThrow(ForeignManagerError);
      expect(await run(dialect, place('one'), place('one'))).toBe('accepted');
    },
  );

  it.each(['1', 'ON', 'NO_LOCK', 1n])(
    'is accepted on a replica (%s), from which a proxy may answer reads',
    async (replica) => {
      expect(await run(mysqlDialect, place('one'), place('two', { replica }))).toBe('accepted');
      expect(await run(mysqlDialect, place('one', { replica }), place('two'))).toBe('accepted');
    },
  );

  it('is accepted on another member of a cluster', async () => {
    const group = (name: string) => [{ Variable_name: 'group_replication_group_name', Value: name }];
    const galera = (on: string) => [
      { Variable_name: 'wsrep_on', Value: on },
      { Variable_name: 'wsrep_cluster_name', Value: 'my_wsrep_cluster' },
    ];
    const members = (one: Row[], two: Row[]) =>
      run(mariadbDialect, { ...place('one'), cluster: one }, { ...place('two'), cluster: two });
    expect(await members(group('g'), group('g'))).toBe('accepted');
    expect(await members(galera('ON'), galera('ON'))).toBe('accepted');
    await expect(members(group('g'), group('h'))).rejects.toThrow(ForeignManagerError);
    await expect(members(galera('OFF'), galera('OFF'))).rejects.toThrow(ForeignManagerError);
  });

  it('is accepted after its server was started again', async () => {
    const own = [place('started at 1')];
    const connections = new CallerConnections(new Turns());
    const queue = connected(postgresDialect, own);
    const runOn = (server: string) => connections.run(callerOf(place(server)), queue, anything());
    expect(await runOn('started at 1')).toBe('accepted');
    own[0] = place('started at 2');
    expect(await runOn('started at 2')).toBe('accepted');
    await expect(runOn('started at 1')).rejects.toThrow(ForeignManagerError);
  });
});
