import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import mysql from 'mysql2';
import { randomBytes } from 'node:crypto';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { databaseOn, databases, type TestSchema } from '../support/databases.js';
import { QueueFixture } from '../support/queue-fixture.js';
import { startPostgres, type Server } from '../support/servers.mjs';
import { endSessionsBeside } from '../support/sessions.js';
import { waitUntil } from '../support/wait-until.js';

const available = databases().filter(({ name }) => name === 'postgres' || name === 'mysql');

/** One password at a time is right, as with the tokens of a cloud. */
describe.each(available)('a password of $name that changes', (database) => {
  const { name } = database;
  let server: Server | undefined;
  let schema: TestSchema;
  let admin: DataSource;
  let user: string;
  let current: string;
  let asked = 0;
  let fixture: QueueFixture | undefined;
  beforeAll(async () => {
    // The one of the other tests takes everybody without a password.
    server = name === 'postgres' ? await startPostgres({ tls: true }) : undefined;
    schema = await (server ? databaseOn('postgres', server.url, { ssl: server.ssl }).create() : database.create());
    admin = await schema.connect();
    user = String(admin.driver.database);
    await rotate('CREATE');
    if (name === 'postgres') await admin.query(`GRANT ALL ON SCHEMA public TO ${user}`);
    else await admin.query(`GRANT ALL ON ${user}.* TO ${user}@'%'`);
  });
  afterEach(() => fixture?.close());
  afterAll(async () => {
    if (name === 'mysql') await admin.query(`DROP USER ${user}@'%'`);
    await schema.drop();
    await server?.stop();
  });

  async function rotate(verb: 'CREATE' | 'ALTER'): Promise<void> {
    current = randomBytes(8).toString('hex');
    await admin.query(
      name === 'postgres'
        ? `${verb} ROLE ${user} LOGIN PASSWORD '${current}'`
        : `${verb} USER ${user}@'%' IDENTIFIED BY '${current}'`,
    );
  }

  async function password(): Promise<string> {
    asked++;
    return current;
  }

  function options(): DataSourceOptions {
    const { hostname, port } = new URL((schema.options as { url: string }).url);
    const common = { host: hostname, port: Number(port), username: user, database: user };
    if (name === 'postgres') return { type: 'postgres', ...common, password, ssl: server?.ssl };
    // mysql2 takes no function for a password: its plugins are asked for each connection.
    const { caching_sha2_password: standard } = mysql.authPlugins;
    const plugin = (metadata: { connection: { config: { password?: string } } }) => {
      let answer: ((data: Buffer) => unknown) | undefined;
      return async (data: Buffer) => {
        metadata.connection.config.password ??= await password();
        answer ??= standard({})(metadata as never);
        return answer?.(data);
      };
    };
    return { type: 'mysql', ...common, extra: { authPlugins: { caching_sha2_password: plugin } } };
  }

  it('is asked for again for each new connection of ours', async () => {
    fixture = new QueueFixture(new DataSource(options()), {});
    const { repository, queue } = fixture;
    await repository.open();
    for (let n = 0; n < 3; n++) {
      const before = asked;
      await rotate('ALTER');
      await endSessionsBeside(admin);
      await waitUntil(() => queue.enqueue('t').catch(() => undefined), { describe: `an enqueue with password ${n}` });
      expect(asked).toBeGreaterThan(before);
    }
  });
});
