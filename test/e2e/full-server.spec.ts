import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { handler, startApp, type AppFixture } from '../support/app-fixture.js';
import { databaseOn, databases, type TestSchema } from '../support/databases.js';
import { QueueFixture } from '../support/queue-fixture.js';
import { startMariaDb, startPostgres, type Server } from '../support/servers.mjs';
import { endSessionsBeside, sessionsBeside } from '../support/sessions.js';
import { waitUntil } from '../support/wait-until.js';

const MOST = 20;

const available = new Set(databases().map(({ name }) => name));
const kinds = [
  { name: 'mariadb', start: startMariaDb },
  { name: 'postgres', start: startPostgres },
] as const;

const unhandled: unknown[] = [];
const remember = (reason: unknown) => unhandled.push(reason);
beforeEach(() => void process.on('unhandledRejection', remember));
afterEach(() => {
  process.off('unhandledRejection', remember);
  expect(unhandled.splice(0)).toEqual([]);
});

describe.each(kinds.filter(({ name }) => available.has(name)))('a full $name', ({ name, start }) => {
  let server: Server;
  let schema: TestSchema;
  let observer: DataSource;
  let fixture: AppFixture | undefined;
  const hogs: DataSource[] = [];
  /** One connection, which pg would otherwise close after 10 s without use. */
  const KEPT = { poolSize: 1, extra: name === 'postgres' ? { idleTimeoutMillis: 0 } : {} };
  /** Beside the observer. MariaDB has one more for an administrator. */
  const ALL = name === 'mariadb' ? MOST : MOST - 1;
  beforeAll(async () => {
    server = (await start({ maxConnections: MOST })) as Server;
    schema = await databaseOn(name, server.url).create();
    observer = await new DataSource({ ...schema.options, ...KEPT } as DataSourceOptions).initialize();
  });
  afterEach(async () => {
    await release();
    await fixture?.close();
    fixture = undefined;
  });
  afterAll(async () => {
    await observer.destroy();
    await server.stop();
  });

  async function release(): Promise<void> {
    await Promise.all(hogs.splice(0).map((hog) => hog.destroy()));
  }

  /** Takes every connection that the server has, and takes away those that others had. */
  async function fill(): Promise<void> {
    await waitUntil(async () => {
      const taken = await new DataSource({ ...options(), ...KEPT } as DataSourceOptions)
        .initialize()
        .catch(() => undefined);
      if (taken === undefined) return true;
      hogs.push(taken);
      return false;
    });
  }

  /** To another database: only ours and the application's are listed beside the observer. */
  const options = () => ({ ...schema.options, url: server.url }) as DataSourceOptions;

  it('is survived: what was waiting runs when it has room again', async () => {
    fixture = await startApp(schema, { providers: [handler('t', () => 'done')] });
    const errors: string[] = [];
    fixture.queue.events$.subscribe((event) => void (event.name === 'database.error' && errors.push(event.error)));
    const first = await fixture.queue.enqueue('t');
    await fixture.waitFor(first.id, 'succeeded');
    await waitUntil(async () => {
      await endSessionsBeside(observer);
      await fill();
      return hogs.length === ALL;
    });
    expect(await sessionsBeside(observer)).toEqual([]);
    await observer.query("INSERT INTO pq_job (service, type, payload) VALUES ('default', 't', 'null')");
    const enqueued = fixture.queue.enqueue('t');
    await waitUntil(() => errors.some((error) => /too many/i.test(error)), {
      timeout: 20_000,
      describe: () => `a report of the full server; there were ${JSON.stringify(errors)}`,
    });
    await release();
    await fixture.waitFor((await enqueued.catch(() => fixture?.queue.enqueue('t')))?.id as string, 'succeeded');
    await waitUntil(async () => (await fixture?.queue.counts())?.every(({ state }) => state === 'succeeded'));
  }, 60_000);

  it('is waited for at the start', async () => {
    fixture = await startApp(schema, { queue: { autoStart: false } });
    const closed = new QueueFixture(new DataSource(schema.options), {});
    await fill();
    const opening = closed.repository.open();
    const isRefused = await Promise.race([opening.then(() => false), refuseAnother()]);
    expect(isRefused).toBe(true);
    await release();
    await opening;
    await closed.close();
  });

  /** One more connection is refused: so were ours. */
  async function refuseAnother(): Promise<boolean> {
    await expect(new DataSource(options()).initialize()).rejects.toThrow(/too many/i);
    return true;
  }
});

describe.each(databases().filter(({ name }) => name !== 'sqlite'))('the user’s limit on $name', (database) => {
  let schema: TestSchema;
  let admin: DataSource;
  let user: string;
  beforeAll(async () => {
    schema = await database.create();
    admin = await schema.connect();
    user = String(admin.driver.database);
    const limited =
      database.name === 'postgres'
        ? [`CREATE ROLE ${user} LOGIN CONNECTION LIMIT 2`, `GRANT ALL ON SCHEMA public TO ${user}`]
        : [
            `CREATE USER ${user}@'%' ${database.name === 'mysql' ? "IDENTIFIED BY ''" : ''} WITH MAX_USER_CONNECTIONS 2`,
            `GRANT ALL ON ${user}.* TO ${user}@'%'`,
          ];
    for (const sql of limited) await admin.query(sql);
  });
  afterAll(async () => {
    if (database.name === 'postgres') await admin.query(`DROP OWNED BY ${user}; DROP ROLE ${user}`);
    else await admin.query(`DROP USER ${user}@'%'`);
    await schema.drop();
  });

  const limitedOptions = () => {
    const url = new URL((schema.options as { url: string }).url);
    url.username = user;
    return { ...schema.options, url: url.toString(), poolSize: 1 } as DataSourceOptions;
  };

  it('is waited for: a statement is late, and carried out once', async () => {
    const application = await new DataSource(limitedOptions()).initialize();
    // One for the application, one for us: `connections.max` promises more than there is.
    const { queue, repository, close } = new QueueFixture(application, { connections: { max: 4 } });
    await repository.open();
    const jobs = await Promise.all(Array.from({ length: 10 }, () => queue.enqueue('t')));
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(10);
    expect(await admin.query('SELECT id FROM pq_job')).toHaveLength(10);
    await close();
    await application.destroy();
  });
});

describe.each(databases().filter(({ name }) => name !== 'sqlite'))(
  'an application on $name that has taken all connections of its own pool',
  (database) => {
    it('does not keep ours from beating, claiming and completing', async () => {
      const schema = await database.create();
      const options = { ...schema.options, poolSize: 2 } as DataSourceOptions;
      const fixture = await startApp({ ...schema, options }, { providers: [handler('t', () => 'done')] });
      const runners = [1, 2].map(() => fixture.dataSource.createQueryRunner());
      try {
        for (const runner of runners) await runner.startTransaction();
        const waiting = fixture.dataSource.query('SELECT 1');
        const observer = await schema.connect();
        const readLease = async () =>
          Number((await observer.query('SELECT MAX(expires_at) AS until FROM pq_node'))[0].until);
        const before = await readLease();
        for (let n = 0; n < 3; n++) await fixture.waitFor((await fixture.queue.enqueue('t')).id, 'succeeded');
        await waitUntil(async () => (await readLease()) > before, { describe: 'a heartbeat' });
        for (const runner of runners) await runner.commitTransaction();
        for (const runner of runners) await runner.release();
        await waiting;
      } finally {
        await fixture.close();
        await schema.drop();
      }
    });
  },
);
