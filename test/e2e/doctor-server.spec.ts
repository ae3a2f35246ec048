import { copyFile, open } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { examine } from '../../lib/doctor/examine.js';
import { databaseOn, databases, type TestSchema } from '../support/databases.js';
import { DoctorFixture } from '../support/doctor-fixture.js';
import { QueueFixture } from '../support/queue-fixture.js';
import { startMariaDb, startPostgres, type Server } from '../support/servers.mjs';
import { waitUntil } from '../support/wait-until.js';

const NAMES = { serviceName: 's', tablePrefix: 'pq_' };

describe('the doctor', () => {
  it('names a database that cannot keep the promises, and looks no further', async () => {
    const memory = await new DataSource({ type: 'better-sqlite3', database: ':memory:' }).initialize();
    expect(await examine(memory, NAMES)).toEqual([
      { check: 'database.engine', level: 'error', message: expect.stringContaining('in-memory SQLite') },
    ]);
    await memory.destroy();
  });

  it.each(databases())('finds a $name that is not there, and fails not', async (database) => {
    const schema = await database.create();
    const dataSource = await schema.connect();
    await dataSource.destroy();
    const told: unknown[] = [];
    const findings = await examine(dataSource, NAMES, (finding) => told.push(finding));
    expect(findings).toEqual([expect.objectContaining({ check: 'database.engine', level: 'error' })]);
    expect(told).toEqual(findings);
    await schema.drop();
  });
});

describe.each(databases().filter(({ name }) => name !== 'sqlite'))(
  'the doctor looks at a server: $name',
  (database) => {
    const doctor = new DoctorFixture(database);
    const isPostgres = database.name === 'postgres';

    /** One connection, whose settings are those of all of its DataSource. */
    async function settings(...statements: string[]): Promise<DataSource> {
      const options = { ...doctor.schema.options, poolSize: 1 } as DataSourceOptions;
      const dataSource = await new DataSource(options).initialize();
      for (const sql of statements) await dataSource.query(sql);
      return dataSource;
    }

    it('and finds that transactions of the application are SERIALIZABLE', async () => {
      expect(await doctor.look('database.isolation')).toEqual([expect.stringMatching(/^ok: /)]);
      const strict = await settings(
        isPostgres
          ? "SET default_transaction_isolation = 'serializable'"
          : 'SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE',
      );
      expect(await doctor.look('database.isolation', strict)).toEqual([
        expect.stringMatching(/^warning: .*SERIALIZABLE/),
      ]);
      await strict.destroy();
    });

    if (isPostgres)
      it('and finds a server that may only be read', async () => {
        const old = await settings('SET default_transaction_read_only = on');
        expect(await doctor.look('database.writable', old)).toEqual([expect.stringMatching(/^error: /)]);
        await old.destroy();
      });
    else
      it('and finds that nothing is committed without a transaction', async () => {
        const off = await settings('SET autocommit = 0');
        expect(await doctor.look('database.isolation', off)).toContainEqual(
          expect.stringMatching(/^error: autocommit/),
        );
        await off.destroy();
      });

    it('and says what it was not allowed to look at', async () => {
      const user = `doctor_${doctor.service}`;
      const { database: name } = doctor.dataSource.driver as unknown as { database: string };
      await doctor.sql(isPostgres ? `CREATE ROLE ${user} LOGIN` : `CREATE USER ${user}@'127.0.0.1'`);
      await doctor.sql(
        isPostgres
          ? `GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${user}`
          : `GRANT SELECT ON ${name}.* TO ${user}@'127.0.0.1'`,
      );
      const url = new URL((doctor.schema.options as { url: string }).url);
      url.username = user;
      const stranger = await new DataSource({
        ...doctor.schema.options,
        url: url.toString(),
      } as DataSourceOptions).initialize();
      const hidden = isPostgres ? 'postgres.transactions' : 'innodb.transactions';
      expect(await doctor.look(hidden)).toEqual([expect.stringMatching(/^ok: /)]);
      expect(await doctor.look(hidden, stranger)).toContainEqual(
        expect.stringMatching(
          isPostgres ? /^warning: This user is not told/ : /^warning: This could not be looked at: .*PROCESS/,
        ),
      );
      expect(await doctor.look('schema.indexes', stranger)).toEqual([expect.stringMatching(/^ok: /)]);
      await stranger.destroy();
      if (isPostgres) await doctor.sql(`DROP OWNED BY ${user}`);
      await doctor.sql(isPostgres ? `DROP ROLE ${user}` : `DROP USER ${user}@'127.0.0.1'`);
    });

    if (!isPostgres) return;

    it('and finds dead rows that nobody removes, because autovacuum is off for their table', async () => {
      await doctor.sql('ALTER TABLE pq_log SET (autovacuum_enabled = false)');
      await doctor.sql("INSERT INTO pq_log SELECT n, 1, 1, 1, 'x' FROM generate_series(1, 20000) n");
      await doctor.sql('DELETE FROM pq_log');
      const verdict = await waitUntil(
        async () => (await doctor.look('postgres.dead-rows')).find((text) => !text.startsWith('ok')),
        { describe: 'the statistics to tell of dead rows' },
      );
      expect(verdict).toMatch(/^error: pq_log has 20000 dead rows beside 0 living ones, it has never been vacuumed/);
      expect(await doctor.look('postgres.autovacuum')).toEqual(['error: Autovacuum is off for pq_log.']);
      await doctor.sql('VACUUM pq_log');
      await waitUntil(async () => (await doctor.look('postgres.dead-rows'))[0]?.startsWith('ok'));
      await doctor.sql('ALTER TABLE pq_log RESET (autovacuum_enabled)');
      expect(await doctor.look('postgres.autovacuum')).toEqual(['ok: Autovacuum is on.']);
    });
  },
);

const CONNECTIONS = 20;
const kinds = [
  { name: 'mariadb', start: startMariaDb },
  { name: 'postgres', start: startPostgres },
] as const;
const available = new Set(databases().map(({ name }) => name));

describe.each(kinds.filter(({ name }) => available.has(name)))(
  'the doctor looks at a small $name',
  ({ name, start }) => {
    let server: Server;
    let schema: TestSchema;
    beforeAll(async () => {
      server = (await start({ maxConnections: CONNECTIONS })) as Server;
      schema = await databaseOn(name, server.url).create();
    });
    afterAll(async () => {
      await schema.drop();
      await server.stop();
    });

    it('and finds that its connections are used up, and that its nodes want more than it has', async () => {
      const dataSource = await schema.connect();
      const queue = new QueueFixture(dataSource, {});
      await queue.registerNode();
      const look = async (check: string) => {
        const findings = await examine(dataSource, { serviceName: queue.service, tablePrefix: 'pq_' });
        return findings.find((finding) => finding.check === check)?.level;
      };
      expect([await look('connections.used'), await look('connections.pools')]).toEqual(['ok', 'ok']);
      await queue.registerNode();
      expect(await look('connections.pools')).toBe('warning');
      await queue.close();
      const others = [];
      while ((await look('connections.used')) === 'ok')
        others.push(await new DataSource({ ...schema.options, poolSize: 1 } as DataSourceOptions).initialize());
      expect(await look('connections.used')).toBe('warning');
      if (name === 'mariadb') {
        await dataSource.query('SET GLOBAL read_only = 1');
        expect(await look('database.writable')).toBe('error');
      }
      await Promise.all(others.map((other) => other.destroy()));
    }, 60_000);
  },
);

describe.each(databases().filter(({ name }) => name === 'sqlite'))('the doctor looks at a file', (database) => {
  const doctor = new DoctorFixture(database);
  const another = (options: object) => new DataSource({ ...doctor.schema.options, ...options }).initialize();

  it('and finds a busy timeout that freezes its process, and a journal that is none', async () => {
    const waiting = await another({ timeout: 5_000 });
    expect(await doctor.look('database.journal', waiting)).toEqual([
      expect.stringMatching(/^warning: This DataSource waits up to 5 s/),
    ]);
    await waiting.destroy();
    const schema = await database.create();
    const old = await new DataSource({ ...schema.options, enableWAL: false } as DataSourceOptions).initialize();
    expect(await doctor.look('database.journal', old)).toEqual([
      expect.stringMatching(/^warning: The journal mode of .* is delete/),
    ]);
    await old.destroy();
    await schema.drop();
  });

  it('and finds a write-ahead log that a reader keeps, and a file that is mostly free', async () => {
    const reader = await another({});
    await reader.query('BEGIN');
    await reader.query('SELECT * FROM pq_job');
    await doctor.sql('CREATE TABLE ballast (data BLOB)');
    for (let mib = 0; mib < 68; mib++) await doctor.sql('INSERT INTO ballast VALUES (zeroblob(1048576))');
    expect(await doctor.look('sqlite.log')).toEqual([
      expect.stringMatching(/^warning: The write-ahead log .* has \d+ MiB/),
    ]);
    await reader.query('ROLLBACK');
    await reader.destroy();
    await doctor.sql('DROP TABLE ballast');
    await doctor.dataSource.query('PRAGMA wal_checkpoint(TRUNCATE)');
    expect(await doctor.look('sqlite.log')).toEqual([expect.stringMatching(/^ok: .* has 0 MiB/)]);
    expect(await doctor.look('sqlite.free')).toEqual([expect.stringMatching(/^warning: \d+ MiB of the \d+ MiB/)]);
    await doctor.sql('VACUUM');
    expect(await doctor.look('sqlite.free')).toEqual([expect.stringMatching(/^ok: /)]);
  });

  it('and finds a file that is damaged', async () => {
    expect(await doctor.look('sqlite.integrity')).toEqual(['ok: The file is intact.']);
    const { database: file } = doctor.schema.options as { database: string };
    const [page] = await doctor.sql<{ rootpage: number }>(
      "SELECT rootpage FROM sqlite_master WHERE name = 'pq_job_reference'",
    );
    await doctor.dataSource.query('PRAGMA wal_checkpoint(TRUNCATE)');
    await copyFile(file, `${file}-copy`);
    const copy = await open(`${file}-copy`, 'r+');
    await copy.write(Buffer.alloc(64, 0xff), 0, 64, (page!.rootpage - 1) * 4096);
    await copy.close();
    const damaged = await another({ database: `${file}-copy` });
    expect(await doctor.look('sqlite.integrity', damaged)).toEqual([
      expect.stringMatching(/^error: The file is damaged: /),
    ]);
    await damaged.destroy();
  });
});
