import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { sqliteDriver } from '../processes/sqlite-driver.js';

export interface Capabilities {
  /** Two connections can hold open write transactions at the same time. */
  concurrentWriters: boolean;
  /** Our tables are in the database of the application. */
  sql: boolean;
  /** What an application may state for its own transactions. */
  isolationLevels: ('READ COMMITTED' | 'REPEATABLE READ' | 'SERIALIZABLE')[];
}

/** A fresh, empty database. */
export interface TestSchema {
  /** For the application's own DataSource. */
  options: DataSourceOptions;
  /** Another, independent DataSource on the database; `drop` closes it when the test does not. */
  connect(): Promise<DataSource>;
  drop(): Promise<void>;
}

export interface TestDatabase {
  name: 'sqlite' | 'mariadb' | 'mysql' | 'postgres';
  capabilities: Capabilities;
  create(): Promise<TestSchema>;
}

/** The databases of this run; a server that is missing on this machine is left out, and reported by `npm test`. */
export function databases(): TestDatabase[] {
  const {
    PQ_TEST_MARIADB_URL: mariadbUrl,
    PQ_TEST_MYSQL_URL: mysqlUrl,
    PQ_TEST_POSTGRES_URL: postgresUrl,
  } = process.env;
  return [
    sqlite(),
    ...(mariadbUrl ? [mysqlFamily('mariadb', mariadbUrl)] : []),
    ...(mysqlUrl ? [mysqlFamily('mysql', mysqlUrl)] : []),
    ...(postgresUrl ? [postgres(postgresUrl)] : []),
  ];
}

/** A fresh database on a server that the test has started itself; `settings` go into the options of every DataSource. */
export function databaseOn(name: 'mariadb' | 'mysql' | 'postgres', url: string, settings: object = {}): TestDatabase {
  return name === 'postgres' ? postgres(url, settings) : mysqlFamily(name, url, settings);
}

/** Begins `work` on every database at once, for tests that mostly wait; answers where to find what has come of it. */
export function onEveryDatabase<T>(work: (database: TestDatabase) => Promise<T>): (name: string) => Promise<T> {
  const underWay = new Map(databases().map((database) => [database.name as string, work(database)]));
  // A failure is the test's that asks for it: until then nobody does.
  for (const each of underWay.values()) each.catch(() => undefined);
  return (name) => underWay.get(name) as Promise<T>;
}

function sqlite(): TestDatabase {
  return {
    name: 'sqlite',
    capabilities: { concurrentWriters: false, sql: true, isolationLevels: ['SERIALIZABLE'] },
    async create() {
      const folder = await mkdtemp(join(tmpdir(), 'pq-test-'));
      const database = join(folder, 'jobs.sqlite');
      const driver = await sqliteDriver();
      return schema({ type: 'better-sqlite3', driver, database, enableWAL: true, timeout: 0 }, () =>
        rm(folder, { recursive: true, force: true }),
      );
    },
  };
}

/** Where our rows are in memory: that of the application. */
export function inMemory(): TestDatabase {
  const database = sqlite();
  return { ...database, capabilities: { ...database.capabilities, sql: false } };
}

/** TypeORM calls the two types by their names, and treats them alike. */
function mysqlFamily(name: 'mariadb' | 'mysql', url: string, settings: object = {}): TestDatabase {
  return {
    name,
    capabilities: {
      concurrentWriters: true,
      sql: true,
      isolationLevels: ['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'],
    },
    async create() {
      const database = randomName();
      await administer({ type: name, url, ...settings }, `CREATE DATABASE ${database} CHARACTER SET utf8mb4`);
      return schema({ type: name, url: withDatabase(url, database), charset: 'utf8mb4', ...settings }, () =>
        administer({ type: name, url, ...settings }, `DROP DATABASE IF EXISTS ${database}`),
      );
    },
  };
}

function postgres(url: string, settings: object = {}): TestDatabase {
  return {
    name: 'postgres',
    capabilities: {
      concurrentWriters: true,
      sql: true,
      isolationLevels: ['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'],
    },
    async create() {
      const name = randomName();
      await administer({ type: 'postgres', url, ...settings }, `CREATE DATABASE ${name}`);
      return schema({ type: 'postgres', url: withDatabase(url, name), ...settings }, () =>
        administer({ type: 'postgres', url, ...settings }, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
      );
    },
  };
}

function schema(options: DataSourceOptions, remove: () => Promise<void>): TestSchema {
  const opened: DataSource[] = [];
  return {
    options,
    async connect() {
      const dataSource = await new DataSource(options).initialize();
      opened.push(dataSource);
      return dataSource;
    },
    async drop() {
      await Promise.all(opened.filter((each) => each.isInitialized).map((each) => each.destroy()));
      await remove();
    },
  };
}

async function administer(options: DataSourceOptions, sql: string): Promise<void> {
  const server = await new DataSource(options).initialize();
  try {
    await server.query(sql);
  } finally {
    await server.destroy();
  }
}

function randomName(): string {
  return `pq_${randomBytes(6).toString('hex')}`;
}

function withDatabase(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.toString();
}
