import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource, type MigrationInterface } from 'typeorm';
import { SchemaError } from '../../lib/errors/schema.error.js';
import { persistentQueueMigrations } from '../../lib/migrations/index.js';
import type { TestSchema } from '../support/databases.js';
import { QueueFixture } from '../support/queue-fixture.js';
import type { ContractContext } from './contract-context.js';

export function schemaContract(context: ContractContext): void {
  describe('the tables', () => {
    let schema: TestSchema;
    beforeAll(async () => {
      schema = await context.database.create();
    });
    afterAll(async () => {
      await schema.drop();
    });

    async function open(options: { tablePrefix: string; synchronize: boolean }): Promise<QueueFixture> {
      const fixture = new QueueFixture(await schema.connect(), options);
      try {
        await fixture.repository.open();
        return fixture;
      } catch (error) {
        await fixture.close();
        throw error;
      }
    }

    it('that are missing are an error that names the command', async () => {
      const opening = open({ tablePrefix: 'none_', synchronize: false });
      await expect(opening).rejects.toThrow(SchemaError);
      await expect(opening).rejects.toThrow(
        /'none_\*' have version 0, 1 is needed.*persistentQueueMigrations.*migration:run.*synchronize/,
      );
    });

    it('of another version are an error', async () => {
      const fixture = await open({ tablePrefix: 'old_', synchronize: true });
      await fixture.sql('UPDATE old_schema SET version = 0');
      await expect(open({ tablePrefix: 'old_', synchronize: false })).rejects.toThrow(/version 0, 1 is needed/);
      await fixture.sql('UPDATE old_schema SET version = 99');
      await expect(open({ tablePrefix: 'old_', synchronize: true })).rejects.toThrow(
        /version 99, 1 is needed.*Upgrade/,
      );
      await fixture.close();
    });

    it('are created once when four processes synchronize at the same time', async () => {
      const fixtures = await Promise.all(
        Array.from({ length: 4 }, () => open({ tablePrefix: 'sync_', synchronize: true })),
      );
      for (const [n, fixture] of fixtures.entries()) await fixture.queue.enqueue('t', n);
      expect(await fixtures[0]?.queue.counts()).toEqual([{ type: 't', state: 'waiting', count: 4 }]);
      await Promise.all(fixtures.map((fixture) => fixture.close()));
    });

    it('that are dropped while they are used make every enqueue reject, so that nobody is told of a job that is not there', async () => {
      const { queue, sql, close } = await open({ tablePrefix: 'gone_', synchronize: true });
      await queue.enqueue('t', null);
      await sql('DROP TABLE gone_job');
      // An error of SQLite's driver is one of another realm: no `toThrow` knows it.
      const missing = { message: expect.stringContaining('gone_job') };
      await expect(queue.enqueue('t', null)).rejects.toMatchObject(missing);
      await expect(queue.enqueue('t', null, { key: 'k' })).rejects.toMatchObject(missing);
      await expect(queue.enqueueMany('t', [{ payload: 1 }])).rejects.toMatchObject(missing);
      await expect(queue.transaction((manager) => queue.enqueue('t', null, { manager }))).rejects.toMatchObject(
        missing,
      );
      await close();
    });

    it('are made and removed again by the migrations', async () => {
      const migrations = persistentQueueMigrations({ tablePrefix: 'mig_' }) as (new () => MigrationInterface)[];
      const dataSource = await new DataSource({ ...schema.options, migrations }).initialize();
      await dataSource.runMigrations();
      const fixture = await open({ tablePrefix: 'mig_', synchronize: false });
      expect((await fixture.queue.enqueue('t', null)).created).toBe(true);
      await fixture.close();
      await dataSource.undoLastMigration();
      await expect(open({ tablePrefix: 'mig_', synchronize: false })).rejects.toThrow(SchemaError);
      await dataSource.destroy();
    });

    it('refuse a row that no claim would ever find', async () => {
      const fixture = await open({ tablePrefix: 'chk_', synchronize: true });
      const insert = (columns: string, values: string) =>
        fixture.sql(`INSERT INTO chk_job (service, type${columns}) VALUES ('s', 't'${values})`);
      await expect(insert(', state', ", 'Waiting'")).rejects.toThrow();
      await expect(insert(', priority', ', 10')).rejects.toThrow();
      await fixture.close();
    });
  });
}
