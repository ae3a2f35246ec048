import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { examine } from '../../lib/doctor/examine.js';
import type { Finding } from '../../lib/doctor/finding.js';
import { databaseOn, databases, type TestSchema } from '../support/databases.js';
import { QueueFixture } from '../support/queue-fixture.js';
import { startMariaDb, startMySql, startPostgres, type Server } from '../support/servers.mjs';
import { waitUntil } from '../support/wait-until.js';

const MINUTE = 60_000;
/** As many as the doctor warns of, and some that purge has removed before the transaction began. */
const UPDATES = 105_000;

const kinds = [
  { name: 'mariadb', start: startMariaDb, snapshot: ['START TRANSACTION WITH CONSISTENT SNAPSHOT'] },
  { name: 'mysql', start: startMySql, snapshot: ['START TRANSACTION WITH CONSISTENT SNAPSHOT'] },
  { name: 'postgres', start: startPostgres, snapshot: ['BEGIN ISOLATION LEVEL REPEATABLE READ', 'SELECT 1'] },
] as const;
const available = new Set(databases().map(({ name }) => name));

interface Patient {
  readonly dataSource: DataSource;
  readonly queue: QueueFixture;
  readonly schema: TestSchema;
  readonly server: Server;
}

/** A transaction that somebody has forgotten: servers of their own, because it keeps all of a server from being cleaned up. */
describe('a transaction that has been open for a minute', () => {
  const chosen = kinds.filter(({ name }) => available.has(name));
  const patients = new Map<string, Promise<Patient>>();
  const found = new Map<string, Promise<Finding[]>>();
  beforeAll(() => {
    for (const kind of chosen) {
      const patient = prepare(kind);
      patients.set(kind.name, patient);
      found.set(kind.name, patient.then(forget(kind)));
    }
    for (const each of found.values()) each.catch(() => undefined);
  });
  afterAll(async () => {
    // One that has not come up must not keep the others running: the tests would never end.
    for (const settled of await Promise.allSettled(patients.values())) {
      if (settled.status === 'rejected') continue;
      const { queue, schema, server } = settled.value;
      await queue.close();
      await schema.drop();
      await server.stop();
    }
  });

  async function prepare({ name, start }: (typeof kinds)[number]): Promise<Patient> {
    const server = (await start()) as Server;
    const schema = await databaseOn(name, server.url).create();
    const dataSource = await schema.connect();
    const queue = new QueueFixture(dataSource, { serviceName: 's' });
    await queue.registerNode();
    return { dataSource, queue, schema, server };
  }

  function forget({ name, snapshot }: (typeof kinds)[number]) {
    return async ({ dataSource }: Patient): Promise<Finding[]> => {
      const look = () => examine(dataSource, { serviceName: 's', tablePrefix: 'pq_' });
      const forgotten = dataSource.createQueryRunner();
      for (const sql of snapshot) await forgotten.query(sql);
      const began = performance.now();
      if (name !== 'postgres') await updateOften(dataSource);
      await waitUntil(() => performance.now() - began > MINUTE + 2_000, { timeout: 2 * MINUTE });
      const findings = await look();
      await forgotten.query('ROLLBACK');
      await forgotten.release();
      return findings;
    };
  }

  /** Each a transaction of its own. */
  async function updateOften(dataSource: DataSource): Promise<void> {
    await dataSource.query('CREATE TABLE busy (id INT PRIMARY KEY, n INT NOT NULL)');
    await dataSource.query('INSERT INTO busy VALUES (1, 0)');
    await dataSource.query(
      `CREATE PROCEDURE often() BEGIN DECLARE i INT DEFAULT 0; WHILE i < ${UPDATES} DO ` +
        'SET i = i + 1; UPDATE busy SET n = i WHERE id = 1; END WHILE; END',
    );
    await dataSource.query('CALL often()');
  }

  it.each(chosen)(
    'is found on $name, by what ends it',
    async ({ name }) => {
      const findings = (await found.get(name)) as Finding[];
      const check = name === 'postgres' ? 'postgres.transactions' : 'innodb.transactions';
      expect(findings.filter((finding) => finding.check === check)).toEqual([
        {
          check,
          level: 'warning',
          message: expect.stringMatching(
            /^The transaction of (connection|session) \d+.* has been open for 1(\.\d)? min/,
          ),
          cure: expect.stringMatching(/^(KILL \d+|SELECT pg_terminate_backend\(\d+\))$/),
        },
      ]);
    },
    4 * MINUTE,
  );

  it.each(chosen.filter(({ name }) => name !== 'postgres'))(
    'is why InnoDB of $name has removed nothing since',
    async ({ name }) => {
      const findings = (await found.get(name)) as Finding[];
      expect(findings.find(({ check }) => check === 'innodb.purge')).toMatchObject({ level: 'warning' });
    },
    4 * MINUTE,
  );
});
