import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { commandLineContract, SLOW } from '../support/command-line.contract.js';
import {
  eachInItsProcess,
  runProgram,
  SharedProcess,
  type Answer,
  type Surroundings,
} from '../support/command-line.js';
import { databases } from '../support/databases.js';
import { PackedPackage } from '../support/packed-package.js';

let packed: PackedPackage;
beforeAll(async () => {
  packed = await PackedPackage.install();
}, SLOW);
afterAll(() => packed.remove());

for (const database of databases())
  commandLineContract(
    database,
    () => packed,
    (program) => (database.name === 'sqlite' ? eachInItsProcess(program) : new SharedProcess(program)),
  );

describe('the packed program', () => {
  let url: string;
  beforeAll(async () => {
    const folder = join(packed.folder, 'data');
    await mkdir(folder);
    url = `sqlite://${join(folder, 'jobs.sqlite')}`;
    expect(await cli(['install', '--url', url])).toMatchObject({ exitCode: 0 });
  }, SLOW);

  const cli = (args: string[], surroundings: Surroundings = {}): Promise<Answer> =>
    runProgram(packed.program, args, { cwd: packed.folder, ...surroundings });

  /** As a person would: `script` is a terminal for it. */
  const onTerminal = (command: string, env: Record<string, string> = {}): Promise<Answer> =>
    runProgram('script', ['-qec', command, '/dev/null'], { cwd: packed.folder, env: { TERM: 'xterm', ...env } });

  it.each<[title: string, args: string[], exitCode: number, message: string]>([
    ['an unknown command', ['staus'], 2, '(Did you mean status?)'],
    ['an unknown option', ['list', '--sate', 'failed'], 2, '(Did you mean --state?)'],
    ['a missing argument', ['show'], 2, "missing required argument 'id'"],
    ['no database', ['status'], 2, 'set PERSISTENT_QUEUE_URL'],
    ['two databases', ['status', '--url', 'sqlite:a', '--data-source', 'b.js'], 2, 'Give one of them'],
    ['another database', ['status', '--url', 'mongodb://root:secret@host/db'], 2, "(got 'mongodb')"],
    ['parameters that would be lost', ['status', '--url', 'mysql://u:secret@h/d?ssl=true'], 2, '--data-source'],
    ['a URL without a database', ['status', '--url', 'mariadb://u:secret@h'], 2, "(got 'mariadb://u@h')"],
    [
      'a database that does not answer',
      ['status', '--url', 'postgres://u:secret@127.0.0.1:1/d'],
      3,
      'postgres://u@127.0.0.1:1/d',
    ],
    ['a file that is not there', ['status', '--url', 'sqlite:none.sqlite'], 3, 'none.sqlite'],
    ['a folder that is not there', ['install', '--url', 'sqlite:none/none.sqlite'], 3, 'none'],
    ['a service that cannot be', ['status', '--service', ''], 2, '--service cannot be used'],
    ['a prefix that cannot be', ['status', '--prefix', 'a-b'], 2, "--prefix cannot be used (got 'a-b'). Give a letter"],
    ['TypeScript', ['status', '--data-source', 'data-source.ts'], 2, 'dist/data-source.js'],
    ['a time without a zone', ['list', '--from', '2026-11-21T10:00'], 2, "'2026-11-21T10:00' is invalid"],
    ['a limit that is no number', ['list', '--limit', 'many'], 2, "'many' is invalid. Give an integer."],
    ['two times', ['enqueue', 't', '--at', '2030-01-01', '--delay', '1h'], 2, 'cannot be used with'],
  ])('refuses %s in a sentence, without a password', async (_, args, exitCode, message) => {
    const answer = await cli(args);
    expect(answer).toEqual({ exitCode, stdout: '', stderr: expect.stringContaining(message) });
    expect(answer.stderr).toMatch(/^error: /);
    expect(answer.stderr).not.toMatch(/secret|\n\s+at /);
  });

  it('tells errors as JSON where JSON was asked for', async () => {
    const answers = await Promise.all([
      cli(['list', '--sate', 'failed', '--json']),
      cli(['status', '--json', '--url', 'sqlite:none.sqlite']),
    ]);
    const errors = answers.map(({ stderr }) => (JSON.parse(stderr) as { error: object }).error);
    expect(errors).toEqual([
      { name: 'Error', message: "unknown option '--sate'\n(Did you mean --state?)", exitCode: 2 },
      { name: 'UnreachableDatabaseError', message: expect.stringContaining('none.sqlite'), exitCode: 3 },
    ]);
  });

  it('makes no SQLite file of a path that was misspelt', async () => {
    await cli(['status', '--url', 'sqlite:misspelt.sqlite']);
    await expect(rename(join(packed.folder, 'misspelt.sqlite'), 'x')).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('prints the SQL of each database without asking a server', async () => {
    const print = (type: string) => cli(['install', '--print', '--url', type]);
    const [mysql, mariadb, postgres] = await Promise.all(['mysql://', 'mariadb://', 'postgres://'].map(print));
    expect(mysql?.stdout).toContain('COLLATE=utf8mb4_0900_bin');
    expect(mariadb?.stdout).toContain('COLLATE=utf8mb4_nopad_bin');
    expect(postgres?.stdout).toContain('COLLATE "C"');
  });

  it('tells the stack only with --verbose', async () => {
    const { stderr } = await cli(['show', '1', '--url', url, '--verbose']);
    expect(stderr).toMatch(/^error: No such job[^]*\n\s+at /);
  });

  it('reads a payload, and many, from stdin', async () => {
    const [one, many] = await Promise.all([
      cli(['enqueue', 'stdin', '-', '--json', '--url', url], { input: '{"n":1}\n' }),
      cli(['enqueue', 'stdin', '--lines', '-', '--url', url], { input: '{"payload":1}\n{"payload":2}' }),
    ]);
    expect(one).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^{"id":"\d+","created":true}\n$/) });
    expect(many).toMatchObject({ exitCode: 0, stdout: '2 jobs are enqueued, 0 were there already.\n' });
  });

  it('has colours and progress bars on a terminal only, and not with --no-color or NO_COLOR', async () => {
    const lines = join(packed.folder, 'many.ndjson');
    await writeFile(lines, '{"payload":1}\n'.repeat(2_000));
    const status = `${packed.program} status --url ${url}`;
    const [coloured, robot, flag, variable, bar, piped] = await Promise.all([
      onTerminal(status),
      cli(['status', '--url', url], { env: { CI: 'true' } }),
      onTerminal(`${status} --no-color`),
      onTerminal(status, { NO_COLOR: '1' }),
      onTerminal(`${packed.program} enqueue t --lines ${lines} --url ${url}`),
      cli(['enqueue', 't', '--lines', lines, '--url', url]),
    ]);
    expect(coloured.stdout).toContain('\u001b[1mTYPE');
    expect([robot.stdout, flag.stdout, variable.stdout].join('')).not.toContain('\u001b[');
    expect(bar.stdout).toMatch(/enqueued .*2000\/2000/);
    expect(piped).toEqual({ exitCode: 0, stdout: '2000 jobs are enqueued, 0 were there already.\n', stderr: '' });
  });

  it('ends quietly when nobody reads on', async () => {
    const list = `${packed.program} list --limit 1000 --json --url ${url}`;
    const command = `(${list}; echo "ended with $?" >&2) | head -c 1`;
    const { stdout, stderr } = await runProgram('sh', ['-c', command], { cwd: packed.folder });
    expect([stdout, stderr]).toEqual(['{', 'ended with 0\n']);
    const doctor = `${packed.program} doctor --prefix none_ --url ${url}`;
    const examined = `(${doctor} 2>/dev/null; echo "ended with $?" >&2) | head -c 1`;
    expect((await runProgram('sh', ['-c', examined], { cwd: packed.folder })).stderr).toBe('ended with 1\n');
  });

  it('ends by Ctrl-C with 130 and without a word', async () => {
    const child = spawn(packed.program, ['enqueue', 't', '-', '--url', url], { cwd: packed.folder });
    let told = '';
    child.stdout.on('data', (piece) => (told += String(piece)));
    child.stderr.on('data', (piece) => (told += String(piece)));
    const ended = once(child, 'exit');
    // More than the pipe holds: it has been written when the program reads its stdin, of which it never sees the end.
    await new Promise((written) => child.stdin.write(' '.repeat(4 * 1_048_576), written));
    child.kill('SIGINT');
    expect(await ended).toEqual([130, null]);
    expect(told).toBe('');
  });

  it('names the driver that its user has not installed', async () => {
    const hook = join(packed.folder, 'without-pg.cjs');
    await writeFile(
      hook,
      `const loader = require('node:module');
       const resolve = loader._resolveFilename;
       loader._resolveFilename = (name, ...more) => resolve(name === 'pg' ? 'a package that is not there' : name, ...more);`,
    );
    const env = { NODE_OPTIONS: `--require ${hook}` };
    const missing = await cli(['status', '--url', 'postgres://u:secret@127.0.0.1:1/d'], { env });
    expect(missing).toEqual({ exitCode: 3, stdout: '', stderr: expect.stringContaining('npm install pg\n') });
  });

  it('names the package that its user has not installed', async () => {
    const peers = join(packed.folder, 'node_modules/@nestjs');
    await rename(join(peers, 'typeorm'), join(packed.folder, 'nestjs-typeorm'));
    const missing = await cli(['status', '--url', url]);
    await rename(join(packed.folder, 'nestjs-typeorm'), join(peers, 'typeorm'));
    expect(missing).toEqual({
      exitCode: 3,
      stdout: '',
      stderr: expect.stringContaining('npm install @nestjs/typeorm'),
    });
  });
});
