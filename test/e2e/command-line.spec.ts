import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource, DataSourceOptions } from 'typeorm';
import { openDataSource } from '../../lib/cli/open-data-source.js';
import { databases, type TestSchema } from '../support/databases.js';
import { SqlJobRepository } from '../../lib/typeorm/sql.job-repository.js';
import { cli } from '../support/cli-in-process.js';

describe.each(databases())('a command line on $name', (database) => {
  let schema: TestSchema;
  let dataSource: DataSource;
  let url: string;
  const run = (...args: string[]) => cli([...args, '--url', url]);

  beforeAll(async () => {
    schema = await database.create();
    dataSource = await schema.connect();
    const { options } = schema;
    url =
      'url' in options ? String(options.url).replace(/^\w+/, database.name) : `sqlite://${String(options.database)}`;
  });
  afterAll(() => schema.drop());
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('tells the rest of the status when there are too many jobs to be counted', async () => {
    await run('install');
    await run('enqueue', 'many');
    jest.spyOn(SqlJobRepository.prototype, 'counts').mockRejectedValue(new Error('no answer within 10000 ms'));
    const { exitCode, stdout } = await run('status');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^many +(- +){6}\d+s \(job 1\)$/m);
    expect(stdout).toMatch(/^the jobs could not be counted: no answer within 10000 ms$/m);
    expect(stdout).toMatch(/^waiting, and no living node runs them: many$/m);
    expect(JSON.parse((await run('status', '--json')).stdout)).toMatchObject({ counts: [], unhandled: ['many'] });
  });

  it('neither takes over nor deletes tables of the application that have our names', async () => {
    await dataSource.query('CREATE TABLE shop_log (line INTEGER)');
    await dataSource.query('INSERT INTO shop_log VALUES (7)');
    for (const command of [['install'], ['uninstall', '--yes']])
      expect(await run(...command, '--prefix', 'shop_')).toMatchObject({
        exitCode: 1,
        stderr: expect.stringMatching(/there is no shop_schema beside them.*\(got 'shop_log'\)/),
      });
    await dataSource.query('CREATE TABLE shop_schema (name INTEGER)');
    expect(await run('uninstall', '--yes', '--prefix', 'shop_')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/the version in shop_schema cannot be read/),
    });
    expect(await dataSource.query('SELECT line FROM shop_log')).toEqual([{ line: 7 }]);
  });

  it('finishes and undoes an installation that was interrupted', async () => {
    await run('install', '--prefix', 'half_');
    await dataSource.query('DROP TABLE half_log');
    await dataSource.query('DELETE FROM half_schema');
    expect(await run('install', '--prefix', 'half_')).toMatchObject({ exitCode: 0 });
    await dataSource.query('DELETE FROM half_schema');
    await dataSource.query('DROP TABLE half_log');
    expect(await run('uninstall', '--yes', '--prefix', 'half_')).toEqual({
      exitCode: 0,
      stdout: expect.stringMatching(/^TABLE\nhalf_job\n[^]*These tables are deleted\.\n$/),
      stderr: '',
    });
  });
});

describe('a command line', () => {
  const anywhere = ['--url', 'sqlite:none.sqlite'];

  it.each([
    ['a misspelt option', ['status', '--urll=postgres://u:secret@h/d'], "unknown option '--urll'"],
    ['a URL in the place of a command', ['postgres://u:se/cret@h/d'], "unknown command 'postgres://…@h/d'"],
    ['parameters', ['status', '--url', 'mysql://u@h/d?password=secret&ssl=x'], "(got 'password, ssl')"],
    ['a % in the name', ['status', '--url', 'mysql://u%:secret@h/d'], 'Write %25 for a %'],
  ])('tells no password: %s', async (_, args, message) => {
    const { exitCode, stderr } = await cli(args);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(stderr).not.toMatch(/se\/?cret/);
  });

  it.each(['"2030-01-01T10:00"', '"tomorrow"', '"1"', '5'])(
    'takes no time of a line that has no zone: %s',
    async (at) => {
      const file = join(tmpdir(), `pq-test-${process.pid}.ndjson`);
      await writeFile(file, `{"payload": 1, "at": ${at}}\n`);
      const answer = await cli(['enqueue', 't', '--lines', file, ...anywhere]);
      await rm(file);
      expect([answer.exitCode, answer.stderr]).toEqual([
        2,
        expect.stringMatching(/Line 1: at is no time.*with its zone/),
      ]);
    },
  );

  it('gives up a server that takes connections and says nothing, as one that is stopped', async () => {
    const silent = createServer();
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    expect(await cli(['doctor', '--url', `postgres://u@127.0.0.1:${port}/d`])).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('The database cannot be reached'),
    });
    silent.close();
  });

  it.each([
    [['prune', '--older-than', '30']],
    [['prune', '--older-than', '6M']],
    [['prune', '--older-than', '-1d']],
    [['prune', '--history', '90']],
    [['prune', '--history', '7 days']],
    [['enqueue', 't', '--delay', '30']],
    [['schedules', 'set', 'nightly', '--jitter', '5']],
    [['schedules', 'set', 'nightly', '--alert-after', '1M']],
  ])('takes no span whose unit would be guessed: %j', async (args) => {
    expect(await cli([...args, ...anywhere])).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringMatching(
        /^error: option '--.* is invalid\. Give a number with its unit, ms, s, m \(minutes\)/,
      ),
    });
  });

  it("opens an application's DataSource for reading alone: at its master, without extensions, loggers or replicas", async () => {
    const options = {
      type: 'postgres',
      extensions: ['citext'],
      logger: 'file',
      entities: ['dist/**/*.entity.js'],
      replication: { master: { host: 'primary', database: 'shop' }, slaves: [{ host: 'replica' }] },
    } as DataSourceOptions;
    const { options: opened } = await openDataSource({ options, label: 'dist/data-source.js' });
    expect(opened).toMatchObject({
      host: 'primary',
      database: 'shop',
      replication: undefined,
      logger: undefined,
      extensions: undefined,
      installExtensions: false,
      entities: [],
      connectTimeoutMS: 10_000,
    });
  });
});
