import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { handler, startApp } from '../support/app-fixture.js';
import { databaseOn, databases, type TestSchema } from '../support/databases.js';
import { QueueFixture } from '../support/queue-fixture.js';
import { startMariaDb, startPostgres, type Server } from '../support/servers.mjs';

const available = new Set(databases().map(({ name }) => name));
const kinds = [
  { name: 'mariadb', start: startMariaDb },
  { name: 'postgres', start: startPostgres },
] as const;

describe.each(kinds.filter(({ name }) => available.has(name)))('a $name that requires TLS', ({ name, start }) => {
  let server: Server;
  let stranger: Server;
  let schema: TestSchema;
  beforeAll(async () => {
    server = (await start({ tls: true })) as Server;
    stranger = (await start({ tls: true })) as Server;
    schema = await databaseOn(name, server.url, { ssl: server.ssl }).create();
  }, 60_000);
  afterAll(async () => {
    await server.stop();
    await stranger.stop();
  });

  /** Never opened: what fails is ours. */
  const closed = (options: object) => new QueueFixture(new DataSource({ ...schema.options, ...options }), {});

  it('runs jobs over connections with TLS', async () => {
    const fixture = await startApp(schema, { providers: [handler('t', () => 'done')] });
    const { id } = await fixture.queue.enqueue('t');
    await fixture.waitFor(id, 'succeeded');
    await fixture.close();
  });

  it('runs jobs over connections with TLS to the master of a replicated DataSource', async () => {
    const { url } = schema.options as { url: string };
    const replication =
      name === 'postgres' ? { master: { url, ssl: server.ssl }, slaves: [] } : { master: { url }, slaves: [] };
    const { queue, repository, close } = closed({ url: undefined, replication });
    await repository.open();
    expect((await queue.enqueue('t')).created).toBe(true);
    await close();
  });

  it.each([
    ['without ssl', () => undefined, /access denied|no encryption/i],
    ['with the certificate of another server', () => stranger.ssl, /self.signed certificate/i],
  ])('refuses us %s, as it does the application, and the error says why', async (_, ssl, message) => {
    const { repository, close } = closed({ ssl: ssl() });
    await expect(repository.open()).rejects.toThrow(message);
    await close();
    await expect(new DataSource({ ...schema.options, ssl: ssl() } as DataSourceOptions).initialize()).rejects.toThrow(
      message,
    );
  });
});
