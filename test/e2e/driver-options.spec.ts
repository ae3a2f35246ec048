import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { DataSource, DefaultNamingStrategy } from 'typeorm';
import { persistentQueueMigrations } from '../../lib/migrations/index.js';
import { handler, startApp } from '../support/app-fixture.js';
import { databases, type TestSchema } from '../support/databases.js';
import { QueueFixture } from '../support/queue-fixture.js';
import { endSessionsBeside } from '../support/sessions.js';
import { waitUntil } from '../support/wait-until.js';

class UpperNaming extends DefaultNamingStrategy {
  override tableName(target: string): string {
    return target.toUpperCase();
  }
}

const EVERYWHERE = [{ entityPrefix: 'shop_' }, { namingStrategy: new UpperNaming() }, { migrationsTableName: 'steps' }];

const MYSQL = [
  { timezone: '+05:30', dateStrings: true },
  { supportBigNumbers: false, bigNumberStrings: false },
  { bigNumberStrings: false, extra: { decimalNumbers: true } },
  { multipleStatements: true },
  { flags: ['-FOUND_ROWS'] },
  { extra: { flags: '-FOUND_ROWS,-CONNECT_ATTRS' } },
  { extra: { typeCast: (field: { buffer(): Buffer | null }) => field.buffer()?.toString('hex') } },
  { extra: { typeCast: false } },
  { extra: { namedPlaceholders: true, jsonStrings: true } },
  { extra: { resetOnRelease: true } },
  { extra: { waitForConnections: false, queueLimit: 1, maxIdle: 0, idleTimeout: 1 } },
  { extra: { queryFormat: () => 'SELECT 1' } },
  { connectTimeout: 5_000, acquireTimeout: undefined, insecureAuth: false, trace: false },
  { enableQueryTimeout: true, maxQueryExecutionTime: 1 },
];

const POSTGRES = [
  { parseInt8: true },
  { extra: { types: { getTypeParser: () => () => 'theirs' } } },
  { extra: { query_timeout: 1, statement_timeout: 1 } },
  { extra: { idleTimeoutMillis: 1, maxUses: 1, allowExitOnIdle: true } },
  { extra: { max: 1, min: 50, connectionTimeoutMillis: 2_000 } },
  { useUTC: true, connectTimeoutMS: 5_000 },
  { extra: { options: '-c timezone=Asia/Kolkata -c default_transaction_read_only=off' } },
];

const OPTIONS: Record<string, object[]> = { sqlite: [], mariadb: MYSQL, mysql: MYSQL, postgres: POSTGRES };

describe.each(databases())('what an application on $name sets for its own connections', (database) => {
  let schema: TestSchema;
  beforeAll(async () => {
    schema = await database.create();
  });
  afterAll(() => schema.drop());

  /** Not opened: what the application's own connections make of the options is not our affair. */
  const closed = (options: object) => new DataSource({ ...schema.options, ...options });

  if (database.name !== 'sqlite') {
    it.each(OPTIONS[database.name]!.map((options) => [inspect(options), options] as const))(
      'does not change ours: %s',
      async (_, options) => {
        const fixture = new QueueFixture(closed(options), {});
        const { queue, repository } = fixture;
        const type = randomUUID();
        await repository.open();
        const fields = { key: 'k', reference: '42', delay: 0, traceId: '007' };
        const { id, created } = await queue.enqueue(type, { n: '9007199254740993' }, fields);
        expect(created).toBe(true);
        expect(await queue.enqueue(type, { n: 2 }, { key: 'k' })).toEqual({ id, created: false });
        expect(await queue.get(id)).toMatchObject({
          payload: { n: '9007199254740993' },
          key: 'k',
          reference: '42',
          traceId: '007',
        });
        expect((await queue.get(id))!.dueAt.getFullYear()).toBeGreaterThan(2_020);
        const node = await fixture.registerNode();
        // Twice within one millisecond, as far as the server can tell.
        expect(await Promise.all([repository.beat(node), repository.beat(node), repository.beat(node)])).toEqual([
          true,
          true,
          true,
        ]);
        expect(await fixture.claimOne(node, type)).toMatchObject({ id, fence: 1, retries: 0 });
        await fixture.close();
      },
    );
  }

  it.each(EVERYWHERE.map((options) => [inspect(options), options] as const))(
    'leaves our tables where they are: %s',
    async (_, options) => {
      const fixture = await startApp(
        { ...schema, options: { ...schema.options, ...options } },
        { providers: [handler('t', () => 'done')] },
      );
      const { id } = await fixture.queue.transaction((manager) => fixture.queue.enqueue('t', null, { manager }));
      await fixture.waitFor(id, 'succeeded');
      expect(await fixture.dataSource.query('SELECT id FROM pq_job WHERE id = ' + id)).toHaveLength(1);
      await fixture.close();
    },
  );

  if (database.name === 'postgres') {
    it('is not told the errors of our connections, and none of its extensions is installed by us', async () => {
      const told: unknown[] = [];
      const admin = await schema.connect();
      const { queue, repository, close } = new QueueFixture(
        closed({ extensions: ['citext', 'fuzzystrmatch'], poolErrorHandler: (error: unknown) => told.push(error) }),
        {},
      );
      await repository.open();
      await endSessionsBeside(admin);
      await waitUntil(() => queue.counts().catch(() => undefined));
      expect(told).toEqual([]);
      expect(await admin.query("SELECT extname FROM pg_extension WHERE extname <> 'plpgsql'")).toEqual([]);
      await close();
    });

    it.each([
      ['the search_path, whatever `schema` says', { schema: 'shop' }, 'public'],
      [
        'the search_path that its connections are given',
        { schema: 'shop', extra: { options: '-c search_path=shop' } },
        'shop',
      ],
    ])('has our tables in %s, with migrations and without', async (_, options, expected) => {
      const fresh = await database.create();
      const migrating = await new DataSource({
        ...fresh.options,
        ...options,
        migrations: persistentQueueMigrations({ tablePrefix: 'migrated_' }),
      }).initialize();
      await migrating.query('CREATE SCHEMA shop');
      await migrating.runMigrations();
      for (const settings of [{ tablePrefix: 'migrated_', synchronize: false }, { tablePrefix: 'made_' }]) {
        const { queue, repository, close } = new QueueFixture(migrating, settings);
        await repository.open();
        const { id } = await queue.transaction((manager) => queue.enqueue('t', null, { manager }));
        expect(await queue.get(id)).toBeDefined();
        await close();
      }
      const tables =
        "SELECT table_schema FROM information_schema.tables WHERE table_name IN ('made_job', 'migrated_job')";
      expect(await migrating.query(tables)).toEqual([{ table_schema: expected }, { table_schema: expected }]);
      await migrating.destroy();
      await fresh.drop();
    });
  }

  if (database.name === 'mariadb' || database.name === 'mysql') {
    it('leads us to the server by its socket too', async () => {
      const admin = await schema.connect();
      const [{ socket }] = await admin.query('SELECT @@socket AS socket');
      const name = String(admin.driver.database);
      const { queue, repository, close } = new QueueFixture(
        closed({ url: undefined, socketPath: socket, username: 'root', database: name }),
        {},
      );
      await repository.open();
      expect((await queue.enqueue('by socket')).created).toBe(true);
      expect(await admin.query("SELECT id FROM pq_job WHERE type = 'by socket'")).toHaveLength(1);
      await close();
    });
  }
});
