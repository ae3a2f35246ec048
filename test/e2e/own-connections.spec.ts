import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { DataSource, type DataSourceOptions, type Logger } from 'typeorm';
import { ForeignManagerError } from '../../lib/errors/foreign-manager.error.js';
import { UnsupportedDatabaseError } from '../../lib/errors/unsupported-database.error.js';
import { callerRunner } from '../../lib/typeorm/caller-session.js';
import { SqliteDatabase } from '../../lib/typeorm/sqlite.database.js';
import { databases, type TestSchema } from '../support/databases.js';
import { QueueFixture } from '../support/queue-fixture.js';

const TEXT = 'ä€😀﷽';

/** Tells nobody: it only remembers. */
class MemoryLogger implements Logger {
  readonly queries: string[] = [];
  logQuery(query: string): void {
    this.queries.push(query);
  }
  logQueryError(): void {}
  logQuerySlow(_: number, query: string): void {
    this.queries.push(query);
  }
  logSchemaBuild(): void {}
  logMigration(): void {}
  log(): void {}
}

describe.each(databases())('our own connections to $name', (database) => {
  let schema: TestSchema;
  const opened: { fixture: QueueFixture; dataSource: DataSource }[] = [];
  beforeAll(async () => {
    schema = await database.create();
  });
  afterEach(async () => {
    for (const { fixture, dataSource } of opened.splice(0)) {
      await fixture.close();
      await dataSource.destroy();
    }
  });
  afterAll(() => schema.drop());

  async function open(options: object): Promise<QueueFixture> {
    const dataSource = await new DataSource({ ...schema.options, ...options }).initialize();
    const fixture = new QueueFixture(dataSource, {});
    opened.push({ fixture, dataSource });
    await fixture.repository.open();
    return fixture;
  }

  it('tell the application’s logger nothing', async () => {
    const logger = new MemoryLogger();
    const { queue } = await open({ logger, logging: false, maxQueryExecutionTime: 1 });
    logger.queries.length = 0;
    await queue.get((await queue.enqueue('t', { secret: 'x'.repeat(500_000) })).id);
    expect(logger.queries).toEqual([]);
  });

  if (['mariadb', 'mysql'].includes(database.name)) {
    it.each([{ charset: 'latin1' }, { charset: 'utf8' }, { extra: { charset: 'latin1' } }])(
      'carry every character where the application says %j',
      async (options) => {
        const { queue } = await open(options);
        const { id } = await queue.enqueue('t', { text: TEXT }, { key: `😀 ${JSON.stringify(options)}` });
        expect((await queue.get(id))?.payload).toEqual({ text: TEXT });
        const other = await queue.enqueue('t', null, { key: `😡 ${JSON.stringify(options)}` });
        expect(other.created).toBe(true);
      },
    );

    it.each([
      [{ charset: 'latin1' }, /charset latin1.*utf8mb4/],
      [{ charset: 'UTF8_GENERAL_CI' }, /charset UTF8_GENERAL_CI.*utf8mb4/],
      [{ extra: { charset: 'latin1' } }, /charset latin1.*utf8mb4/],
    ])('are not the caller’s: with %j its manager is refused', async (options, message) => {
      const { queue } = await open(options);
      const enqueuing = queue.transaction((manager) => queue.enqueue('narrow', { text: TEXT }, { manager }));
      await expect(enqueuing).rejects.toThrow(UnsupportedDatabaseError);
      await expect(enqueuing).rejects.toThrow(message);
    });

    it.each([{ charset: 'UTF8MB4_UNICODE_CI' }, { charset: undefined }])(
      'are not the caller’s: with %j its manager carries everything',
      async (options) => {
        const { queue } = await open(options);
        const { id } = await queue.transaction((manager) => queue.enqueue('wide', { text: TEXT }, { manager }));
        expect((await queue.get(id))?.payload).toEqual({ text: TEXT });
      },
    );
  }

  // NodeSqlite refuses the option.
  if (database.name === 'sqlite' && process.env['PQ_TEST_SQLITE_DRIVER'] !== 'node:sqlite') {
    it('tell what listens to every statement of the driver nothing', async () => {
      const statements: string[] = [];
      const { queue } = await open({ verbose: (sql: string) => void statements.push(sql) });
      statements.length = 0;
      await queue.enqueue('t', { secret: 1 });
      expect(statements).toEqual([]);
    });
  }

  if (database.name === 'sqlite') {
    it('wait for a process that writes while they are opened for the first time', async () => {
      const fresh = await database.create();
      const dataSource = await new DataSource({ ...fresh.options, enableWAL: false } as DataSourceOptions).initialize();
      const writer = await new DataSource(dataSource.options).initialize();
      await writer.query('BEGIN EXCLUSIVE');
      await writer.query('CREATE TABLE theirs (n)');
      const writing = pause(150).then(() => writer.query('COMMIT'));
      const fixture = new QueueFixture(dataSource, {});
      try {
        await fixture.repository.open();
        expect((await fixture.queue.enqueue('t')).created).toBe(true);
      } finally {
        await writing;
        await writer.destroy();
        await fixture.close();
        await dataSource.destroy();
        await fresh.drop();
      }
    });

    it('refuse a file that keeps no write-ahead log', async () => {
      const { options } = schema;
      const memory = await new DataSource({ ...options, database: ':memory:' } as DataSourceOptions).initialize();
      const create = () => new SqliteDatabase(memory, Reflect.get(memory.driver, 'databaseConnection'));
      expect(create).toThrow(UnsupportedDatabaseError);
      expect(create).toThrow(/write-ahead log.*journal mode memory.*local disk/);
      await memory.destroy();
    });
  }
});

describe('a manager of a replicated DataSource', () => {
  const replicated = (host: string, database: string) =>
    new DataSource({
      type: 'postgres',
      replication: { master: { host, port: 5432, database, password: 'secret' }, slaves: [] },
    });

  it.each([
    ['server', replicated('one', 'shop'), replicated('two', 'shop')],
    ['database', replicated('one', 'shop'), replicated('one', 'stock')],
  ])('is refused when its master is another %s', (_, own, other) => {
    expect(() => callerRunner(other.manager, own)).toThrow(ForeignManagerError);
    expect(() => callerRunner(other.manager, own)).toThrow(/postgres one:5432\/shop/);
    expect(() => callerRunner(other.manager, own)).not.toThrow(/secret/);
  });

  it('is accepted when its master is the same', () => {
    expect(callerRunner(replicated('one', 'shop').manager, replicated('one', 'shop'))).toBeUndefined();
  });
});
