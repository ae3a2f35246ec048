import { copyFile, open } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { examine } from '../../lib/doctor/examine.js';
import { Patient } from '../../lib/typeorm/doctor/patient.js';
import { readPostgresTransactions } from '../../lib/typeorm/doctor/postgres-facts.js';
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

    /** What a user sees who may read only what `granted` says. */
    async function asStranger(granted: string, look: (stranger: DataSource) => Promise<void>): Promise<void> {
      const user = `doctor_${doctor.service}`;
      await doctor.sql(isPostgres ? `CREATE ROLE ${user} LOGIN` : `CREATE USER ${user}@'127.0.0.1'`);
      await doctor.sql(`GRANT SELECT ON ${granted} TO ${isPostgres ? user : `${user}@'127.0.0.1'`}`);
      const url = new URL((doctor.schema.options as { url: string }).url);
      url.username = user;
      const options = { ...doctor.schema.options, url: url.toString() } as DataSourceOptions;
      const stranger = await new DataSource(options).initialize();
      await look(stranger);
      await stranger.destroy();
      if (isPostgres) await doctor.sql(`DROP OWNED BY ${user}`);
      await doctor.sql(isPostgres ? `DROP ROLE ${user}` : `DROP USER ${user}@'127.0.0.1'`);
    }

    const all = () =>
      isPostgres
        ? 'ALL TABLES IN SCHEMA public'
        : `${(doctor.dataSource.driver as unknown as { database: string }).database}.*`;

    it('and says what it was not allowed to look at', () =>
      asStranger(all(), async (stranger) => {
        const hidden = isPostgres ? 'postgres.transactions' : 'innodb.transactions';
        expect(await doctor.look(hidden)).toEqual([expect.stringMatching(/^ok: /)]);
        expect(await doctor.look(hidden, stranger)).toContainEqual(
          expect.stringMatching(
            isPostgres ? /^warning: This user is not told/ : /^warning: This could not be looked at: .*PROCESS/,
          ),
        );
        expect(await doctor.look('schema.indexes', stranger)).toEqual([expect.stringMatching(/^ok: /)]);
      }));

    it('and calls it an error when it may not even read their version', () =>
      asStranger('pq_job', async (stranger) => {
        const findings = await doctor.examine(stranger);
        expect(findings.at(-1)).toEqual({
          check: 'schema.version',
          level: 'error',
          message: expect.stringMatching(/could not be looked at: .*(permission|denied)/),
          cure: expect.stringContaining('rights'),
        });
      }));

    it('and speaks of rights only where they are what is missing', async () => {
      const broken = await doctor.install();
      await doctor.sql(`ALTER TABLE ${broken}schema DROP COLUMN version, ADD COLUMN release_name INT`);
      const [last] = (await doctor.examine(undefined, broken)).slice(-1);
      expect(last).toEqual({ check: 'schema.version', level: 'error', message: expect.stringContaining('version') });
      await doctor.dropTables(broken);
    });

    if (!isPostgres) return;

    it('and counts the connections of others, of which a stranger is told nothing', () =>
      asStranger(all(), async (stranger) => {
        const others = await Promise.all(Array.from({ length: 5 }, () => settings('SELECT 1')));
        const [verdict = ''] = await doctor.look('connections.used', stranger);
        expect(Number(/^ok: (\d+) of /.exec(verdict)?.[1])).toBeGreaterThan(5);
        await Promise.all(others.map((other) => other.destroy()));
      }));

    it('and blames only the sessions that keep dead rows of this database', async () => {
      const schema = await database.create();
      const elsewhere = await schema.connect();
      const begin = async (dataSource: DataSource, ...statements: string[]) => {
        const runner = dataSource.createQueryRunner();
        for (const sql of statements) await runner.query(sql);
        return async () => {
          await runner.query('ROLLBACK');
          await runner.release();
        };
      };
      const snapshot = ['BEGIN ISOLATION LEVEL REPEATABLE READ', 'SELECT 1'];
      const harmless = [await begin(doctor.dataSource, 'BEGIN', 'SELECT 1'), await begin(elsewhere, ...snapshot)];
      const patient = await Patient.meet(doctor.dataSource, 'pq_', doctor.service);
      const blamed = () => patient.ask((tables) => readPostgresTransactions(tables, 0));
      expect(await blamed()).toEqual([]);
      const harmful = await begin(doctor.dataSource, ...snapshot);
      expect(await blamed()).toHaveLength(1);
      for (const end of [...harmless, harmful]) await end();
      await schema.drop();
    });

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

if (databases().some(({ name }) => name === 'postgres'))
  describe('the doctor looks at a postgres that others copy', () => {
    it('and warns of no slot that keeps nothing of ours', async () => {
      const server = (await startPostgres({ walLevel: 'logical' })) as Server;
      const schema = await databaseOn('postgres', server.url).create();
      const queue = new QueueFixture(await schema.connect(), {});
      await queue.repository.open();
      await queue.sql("SELECT pg_create_logical_replication_slot('nobody', 'test_decoding')");
      const findings = await examine(queue.dataSource, { ...NAMES, serviceName: queue.service });
      expect(findings.filter(({ check }) => check === 'postgres.transactions')).toEqual([
        expect.objectContaining({ level: 'ok' }),
      ]);
      await queue.sql("SELECT pg_drop_replication_slot('nobody')");
      await queue.close();
      await schema.drop();
      await server.stop();
    }, 60_000);
  });

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
