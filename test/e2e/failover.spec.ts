import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import type { QueueEvent } from '../../lib/events/queue-event.js';
import { handler, startApp, type AppFixture } from '../support/app-fixture.js';
import { databaseOn, databases, type TestSchema } from '../support/databases.js';
import { startMariaDb, startPostgres, type Server } from '../support/servers.mjs';
import { endSessionsBeside } from '../support/sessions.js';
import { waitUntil } from '../support/wait-until.js';

const available = new Set(databases().map(({ name }) => name));
const kinds = [
  {
    name: 'mariadb',
    start: startMariaDb,
    demote: 'SET GLOBAL tx_read_only = 1',
    promote: 'SET GLOBAL tx_read_only = 0',
  },
  {
    name: 'postgres',
    start: startPostgres,
    demote: 'ALTER SYSTEM SET default_transaction_read_only = on',
    promote: 'ALTER SYSTEM RESET default_transaction_read_only',
  },
] as const;

/** What a failover looks like to a client: connections break, and the next ones lead to a server that may only be read. */
describe.each(kinds.filter(({ name }) => available.has(name)))('a $name that may only be read', (kind) => {
  let server: Server;
  let schema: TestSchema;
  let observer: DataSource;
  let fixture: AppFixture;
  const retries: Extract<QueueEvent, { name: 'database.retried' }>[] = [];
  beforeAll(async () => {
    server = (await kind.start()) as Server;
    schema = await databaseOn(kind.name, server.url).create();
    observer = await schema.connect();
  });
  afterEach(() => fixture.close());
  afterAll(async () => {
    await schema.drop();
    await server.stop();
  });

  /** For the connections that are opened from now on. */
  async function set(sql: string): Promise<void> {
    await observer.query(sql);
    if (kind.name === 'postgres') await observer.query('SELECT pg_reload_conf()');
  }

  async function oneMoreRetry(): Promise<void> {
    const count = () => retries.filter(({ error }) => /read.only/i.test(error)).length;
    const before = count();
    await waitUntil(() => count() > before, {
      describe: () => `a retry because of it; there were ${JSON.stringify(retries)}`,
    });
  }

  it('is left for one that may be written: the statement under way is tried again on a new connection, visibly', async () => {
    fixture = await startApp(schema, { providers: [handler('t', () => 'done')] });
    fixture.queue.events$.subscribe((event) => {
      if (event.name === 'database.retried') retries.push(event);
    });
    await fixture.waitFor((await fixture.queue.enqueue('t')).id, 'succeeded');

    await set(kind.demote);
    await endSessionsBeside(observer);
    // By a heartbeat: the connections that were broken are known then.
    await oneMoreRetry();
    const enqueued = fixture.queue.enqueue('t');
    await oneMoreRetry();
    await set(kind.promote);

    const { id } = await enqueued;
    await fixture.waitFor(id, 'succeeded');
    expect(await fixture.queue.history(id)).toHaveLength(1);
    for (const { tries, wait } of retries) {
      expect(tries).toBeGreaterThan(0);
      expect(wait).toBeLessThanOrEqual(1_500);
    }
  }, 60_000);
});
