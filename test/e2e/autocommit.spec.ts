import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { startApp } from '../support/app-fixture.js';
import { databaseOn, databases, type TestSchema } from '../support/databases.js';
import { startMariaDb, startMySql, type Server } from '../support/servers.mjs';

const available = new Set(databases().map(({ name }) => name));
const kinds = [
  { name: 'mariadb', start: startMariaDb },
  { name: 'mysql', start: startMySql },
] as const;

describe.each(kinds.filter(({ name }) => available.has(name)))(
  'a $name whose sessions begin with autocommit = 0',
  ({ name, start }) => {
    let server: Server;
    let schema: TestSchema;
    let administrator: DataSource;
    beforeAll(async () => {
      server = (await start()) as Server;
      schema = await databaseOn(name, server.url).create();
      administrator = await schema.connect();
      await administrator.query('SET GLOBAL autocommit = 0');
    }, 60_000);
    afterAll(async () => {
      await administrator.query('SET GLOBAL autocommit = 1');
      await schema.drop();
      await server.stop();
    });

    it('has a job when its enqueue has answered', async () => {
      const app = await startApp(schema, { queue: { roles: ['enqueue'] } });
      const { id } = await app.queue.enqueue('order.notify');
      expect(await administrator.query('SELECT state FROM pq_job WHERE id = ?', [id])).toEqual([{ state: 'waiting' }]);
      await app.close();
    });
  },
);
