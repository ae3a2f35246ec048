import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSourceOptions } from 'typeorm';
import { ForeignManagerError } from '../../lib/errors/foreign-manager.error.js';
import { InvalidJobError } from '../../lib/errors/invalid-job.error.js';
import { InvalidOptionError } from '../../lib/errors/invalid-option.error.js';
import { UnknownOptionError } from '../../lib/errors/unknown-option.error.js';
import { UnsupportedDatabaseError } from '../../lib/errors/unsupported-database.error.js';
import type { PersistentQueueOptions } from '../../lib/options/module-options.js';
import { PersistentQueueModule } from '../../lib/persistent-queue.module.js';
import { defineJob } from '../../lib/queue/job-definition.js';
import type { EnqueueOptions } from '../../lib/queue/enqueue-options.js';
import { detectDialect } from '../../lib/typeorm/detect-dialect.js';
import { databases, type TestSchema } from '../support/databases.js';
import { QueueFixture } from '../support/queue-fixture.js';

const circular: { self?: unknown } = {};
circular.self = circular;

describe.each(databases())('bad input on $name', (database) => {
  let schema: TestSchema;
  let fixture: QueueFixture;
  beforeAll(async () => {
    schema = await database.create();
    fixture = new QueueFixture(await schema.connect(), {});
    await fixture.repository.open();
  });
  afterEach(async () => {
    // With nothing written, whatever was wrong.
    expect(await fixture.queue.counts()).toEqual([]);
  });
  afterAll(async () => {
    await fixture.close();
    await schema.drop();
  });

  it.each([
    ['a circular payload', circular, /payload.*circular/],
    ['a BigInt', { amount: 1n }, /'amount' is a BigInt/],
    ['a Map', { m: new Map() }, /'m' is a Map/],
    ['a Set', new Set([1]), /the value is a Set/],
    ['a function', { f: () => 1 }, /'f' is a function/],
    ['a symbol', [Symbol('s')], /'0' is a symbol/],
    ['NaN', { n: NaN }, /'n' is not a finite number/],
    ['an invalid Date', { d: new Date('x') }, /'d' is an invalid Date/],
    ['2 MiB', { x: 'y'.repeat(2 * 1_048_576) }, /2097160 bytes of JSON and may have 1048576.*enqueue its id/],
    ['what is nothing to JSON', { toJSON: () => undefined }, /toJSON\(\) answers undefined/],
    ['a Map behind toJSON', { a: { toJSON: () => new Map([[1, 2]]) } }, /'a' is a Map/],
    ['NaN behind toJSON', { a: { toJSON: () => NaN } }, /'a' is not a finite number: NaN/],
    ['a BigInt behind toJSON', { toJSON: () => 1n }, /the value is a BigInt/],
    ['a function behind toJSON', [{ toJSON: () => () => 1 }], /'0' is a function/],
    ['a forgotten await', Promise.resolve({ orderId: 1 }), /the value is a promise.*await/],
    ['a forgotten await inside', { order: Promise.resolve(1) }, /'order' is a promise/],
    [
      'what throws in toJSON',
      {
        toJSON: () => {
          throw new Error('no');
        },
      },
      /cannot carry it: no/,
    ],
  ])('refuses a payload with %s', async (_, payload, message) => {
    const enqueueing = fixture.queue.enqueue('t', payload);
    await expect(enqueueing).rejects.toThrow(InvalidJobError);
    await expect(enqueueing).rejects.toThrow(message);
    await expect(enqueueing.catch((error: Error) => error.message.length)).resolves.toBeLessThan(600);
  });

  it.each([
    ['an empty type', '', /type.*''.*at least one character/],
    ['a type of 300 characters', 'x'.repeat(300), /type.*at most 128 characters \(it has 300\)/],
    ['a NUL character', 'a\0b', /type.*NUL/],
    ['half a surrogate pair', 'a\ud800', /lone surrogate/],
    ['a fraction', 0.5, /type.*0\.5.*integer/],
    ['nothing', undefined, /type.*undefined/],
  ])('refuses %s', async (_, type, message) => {
    const enqueueing = fixture.queue.enqueue(type as string, null);
    await expect(enqueueing).rejects.toThrow(InvalidJobError);
    await expect(enqueueing).rejects.toThrow(message);
    expect(() => defineJob(type as string)).toThrow(InvalidJobError);
  });

  it.each([
    ['a negative delay', { delay: -1 }, /delay.*-1.*0 or more/],
    ['NaN', { delay: NaN }, /delay.*NaN/],
    ['words', { delay: 'soon' }, /delay.*'soon'.*'3m'/],
    ['priority 10', { priority: 10 }, /priority.*10.*0 to 9/],
    ['priority 1.5', { priority: 1.5 }, /priority.*1\.5/],
    ['an invalid date', { deadline: new Date('never') }, /deadline.*Invalid Date.*valid Date/],
    ['a number for a date', { deadline: 5 }, /deadline.*5.*valid Date/],
    ['an empty key', { key: '' }, /key.*at least one/],
    ['a key of 256 characters', { key: 'k'.repeat(256) }, /key.*at most 255/],
    ['a number for a reference', { reference: 7 }, /reference.*7.*string/],
    ['a manager that is none', { manager: {} }, /manager.*EntityManager or QueryRunner/],
    ['a number for a manager', { manager: 42 }, /manager.*\(got 42\).*EntityManager or QueryRunner.*knex/],
    ['a name for a manager', { manager: 'default' }, /manager.*'default'.*EntityManager or QueryRunner/],
    ['null', null, /options.*null/],
  ])('refuses %s among the options', async (_, options, message) => {
    const enqueueing = fixture.queue.enqueue('t', null, options as EnqueueOptions);
    await expect(enqueueing).rejects.toThrow(InvalidJobError);
    await expect(enqueueing).rejects.toThrow(message);
  });

  it.each([
    ['a number', 5, /list.*\(got a number\).*array of objects/],
    ['a string', 'jobs', /list.*a string of 4 characters/],
    ['nothing', undefined, /list.*undefined/],
    ['an array with null', [{ payload: 1 }, null], /request.*null.*array of objects/],
    ['an array with a hole', Array.from({ length: 1 }), /request.*undefined/],
    ['an array of payloads', [1, 2], /request.*\(got a number\)/],
  ])('refuses %s instead of many jobs', async (_, jobs, message) => {
    const enqueuing = fixture.queue.enqueueMany('t', jobs as never);
    await expect(enqueuing).rejects.toThrow(InvalidJobError);
    await expect(enqueuing).rejects.toThrow(message);
  });

  it('refuses an unknown option, and names the one that was meant', async () => {
    const enqueueing = fixture.queue.enqueue('t', null, { piority: 3 } as EnqueueOptions);
    await expect(enqueueing).rejects.toThrow(UnknownOptionError);
    await expect(enqueueing).rejects.toThrow(/'piority'.*Did you mean 'priority'/);
  });

  it('refuses an invalid time and a time together with a delay', async () => {
    await expect(fixture.queue.enqueueAt('t', null, new Date('x'))).rejects.toThrow(/due time.*valid Date/);
    await expect(fixture.queue.enqueueAt('t', null, 5 as unknown as Date)).rejects.toThrow(InvalidJobError);
    await expect(fixture.queue.enqueueAt('t', null, new Date(), { delay: 5 })).rejects.toThrow(/not both/);
  });

  it('refuses the manager of another database', async () => {
    const other = await database.create();
    const dataSource = await other.connect();
    await expect(fixture.queue.enqueue('t', null, { manager: dataSource.manager })).rejects.toThrow(
      ForeignManagerError,
    );
    await other.drop();
  });

  it('answers undefined and nothing for ids that are no ids', async () => {
    for (const id of ['', 'abc', '-1', '1; DROP TABLE pq_job', '999999999999', '99999999999999999999']) {
      expect(await fixture.queue.get(id)).toBeUndefined();
      expect(await fixture.queue.history(id)).toEqual([]);
    }
  });
});

describe('options of the module', () => {
  it.each<[string, unknown, new (...args: never[]) => Error, RegExp]>([
    [
      'an unknown option',
      { concurency: 5 },
      UnknownOptionError,
      /'concurency'.*forRoot\(\).*Did you mean 'concurrency'/,
    ],
    ['an unknown inner option', { lease: { durration: 5 } }, UnknownOptionError, /forRoot\(\)\.lease.*'duration'/],
    ['a duration that is none', { poll: { max: 'often' } }, InvalidOptionError, /poll\.max.*'often'/],
    [
      'a poll that is slower at its fastest',
      { poll: { min: 100, max: 10 } },
      InvalidOptionError,
      /poll\.min.*at most poll\.max/,
    ],
    [
      'a beat that is too slow for its lease',
      { lease: { duration: 1_000, beat: 900 } },
      InvalidOptionError,
      /lease\.beat.*half/,
    ],
    [
      'a node that is hung before its lease has run out',
      { lease: { duration: '1m', hungAfter: '30s' } },
      InvalidOptionError,
      /lease\.hungAfter.*more than lease\.duration \(60000 ms\)/,
    ],
    [
      'a prefix that is no name',
      { tablePrefix: 'x`; DROP' },
      InvalidOptionError,
      /tablePrefix.*letters, digits or underscores/,
    ],
    ['an unknown role', { roles: ['work', 'play'] }, InvalidOptionError, /roles.*'play'.*enqueue, work/],
    ['no role', { roles: [] }, InvalidOptionError, /roles/],
    ['one connection', { connections: { max: 1 } }, InvalidOptionError, /connections\.max.*from 2/],
    ['a string for a flag', { autoStart: 'no' }, InvalidOptionError, /autoStart.*true or false/],
    [
      'a bad override',
      { handlers: { t: { maxRetries: 1.5 } } },
      InvalidOptionError,
      /handlers\['t'\]\.maxRetries.*1\.5/,
    ],
    ['a service name of 65 characters', { serviceName: 's'.repeat(65) }, InvalidOptionError, /serviceName.*at most 64/],
  ])('refuse %s at boot', (_, options, error, message) => {
    expect(() => PersistentQueueModule.forRoot(options as PersistentQueueOptions)).toThrow(error);
    expect(() => PersistentQueueModule.forRoot(options as PersistentQueueOptions)).toThrow(message);
  });
});

describe('a database that cannot keep the promises', () => {
  const connection = (version: string) => ({ query: () => Promise.resolve([{ version }]) });
  class LibsqlDatabase {
    sync(): void {}
  }
  it.each<[string, object, string, RegExp]>([
    ['SQLite in memory', { type: 'better-sqlite3', database: ':memory:' }, '', /in-memory.*':memory:'.*file/],
    [
      'libsql',
      { type: 'better-sqlite3', database: 'x.sqlite', driver: LibsqlDatabase },
      '',
      /libsql.*SQLITE_BUSY.*better-sqlite3/,
    ],
    ['Oracle', { type: 'oracle' }, '', /'oracle'.*MariaDB.*PostgreSQL.*SQLite/],
    ['SQL Server', { type: 'mssql' }, '', /'mssql'/],
    ['sql.js', { type: 'sqljs' }, '', /'sqljs'/],
    ['MongoDB', { type: 'mongodb' }, '', /'mongodb'/],
    ['an old MariaDB', { type: 'mariadb' }, '10.5.8-MariaDB', /MariaDB is too old.*10\.5\.8.*10\.6/],
    ['an old SQLite', { type: 'better-sqlite3', database: 'x.sqlite' }, '3.37.2', /SQLite is too old.*3\.37\.2.*3\.38/],
    ['an old MySQL', { type: 'mysql' }, '8.0.12', /MySQL is too old.*8\.0\.12.*MySQL 8\.0\.13/],
    ['MySQL 5', { type: 'mariadb' }, '5.7.44-log', /MySQL is too old.*5\.7\.44-log.*MySQL 8\.0\.13/],
    ['an old PostgreSQL', { type: 'postgres' }, '12.4', /PostgreSQL is too old.*12\.4/],
  ])('%s is refused with its cure', async (_, options, version, message) => {
    const detecting = detectDialect(options as DataSourceOptions, connection(version));
    await expect(detecting).rejects.toThrow(UnsupportedDatabaseError);
    await expect(detecting).rejects.toThrow(message);
  });

  it.each([
    ['5.5.5-10.11.6-MariaDB', 'mariadb'],
    ['10.6.0-MariaDB', 'mariadb'],
    ['8.0.13', 'mysql'],
    ['8.0.42-0ubuntu0.24.04.1', 'mysql'],
    ['8.4.6-6.1', 'mysql'],
    ['9.7.4-2', 'mysql'],
  ])('%s is recognised as %s whatever TypeORM calls it', async (version, name) => {
    for (const type of ['mysql', 'mariadb'] as const) {
      expect((await detectDialect({ type }, connection(version))).name).toBe(name);
    }
  });
});
