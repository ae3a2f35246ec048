import { basename } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { detectDialect } from '../../lib/typeorm/detect-dialect.js';
import { databases, type TestSchema } from '../support/databases.js';
import { QueueFixture } from '../support/queue-fixture.js';
import { SecondWriter } from '../support/second-writer.js';

/**
 * A driver that leaves a statement unreset after SQLITE_BUSY reports success for the writes that follow, and they are gone.
 * libsql 0.5 does: with PQ_TEST_SQLITE_DRIVER set to its folder, each test that writes with the driver itself fails.
 */
describe.each(databases().filter(({ name }) => name === 'sqlite'))('a write after SQLITE_BUSY', (database) => {
  let schema: TestSchema;
  let application: DataSource;
  let other: SecondWriter;

  beforeEach(async () => {
    schema = await database.create();
    application = await schema.connect();
    await application.query('CREATE TABLE purchase (id INTEGER PRIMARY KEY, paid INTEGER)');
    other = await SecondWriter.start(String(schema.options.database));
  });
  afterEach(async () => {
    await other?.kill();
    await schema?.drop();
  });

  const insert = () => application.query('INSERT INTO purchase (paid) VALUES (0)');

  it.each([
    ['an INSERT', 'INSERT INTO purchase (paid) VALUES (1)'],
    ['an UPDATE', 'UPDATE purchase SET paid = 1'],
    ['an INSERT that returns', 'INSERT INTO purchase (paid) VALUES (1) RETURNING id'],
    ['a BEGIN IMMEDIATE', 'BEGIN IMMEDIATE'],
  ])('of %s is seen by another process', async (_, refused) => {
    await insert();
    await other.ask('lock');
    await expect(application.query(refused)).rejects.toMatchObject({ code: 'SQLITE_BUSY' });
    await other.ask('commit');
    await insert();
    expect(await other.ask('count')).toBe(2);
  });

  it('within one transaction is seen by another process once that is committed', async () => {
    await insert();
    await application.query('BEGIN');
    await other.ask('lock');
    await expect(application.query('UPDATE purchase SET paid = 1')).rejects.toMatchObject({ code: 'SQLITE_BUSY' });
    await other.ask('commit');
    await insert();
    expect(await other.ask('count')).toBe(1);
    await application.query('COMMIT');
    expect(await other.ask('count')).toBe(2);
  });

  it('is as good as any other for a job that was enqueued meanwhile', async () => {
    const queue = new QueueFixture(application, {});
    await queue.repository.open();
    try {
      await other.ask('lock');
      const enqueued = queue.queue.enqueue('paid', { purchase: 1 });
      const transaction = queue.queue.transaction((manager) => manager.query('INSERT INTO purchase (paid) VALUES (1)'));
      await other.ask('commit');
      expect((await enqueued).created).toBe(true);
      await transaction;
      expect(await other.ask('count')).toBe(1);
    } finally {
      await queue.close();
    }
  });
});

it('the refusal of libsql names these tests', async () => {
  class Libsql {
    sync(): void {}
  }
  const detecting = detectDialect(
    { type: 'better-sqlite3', database: 'x.sqlite', driver: Libsql },
    { query: async () => [] },
  );
  await expect(detecting).rejects.toThrow(`test/process/${basename(import.meta.filename)}`);
});
