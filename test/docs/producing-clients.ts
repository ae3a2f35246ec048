import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { TestDatabase, TestSchema } from '../support/databases.js';

export const CLIENTS: Record<TestDatabase['name'], string> = {
  mariadb: 'mariadb',
  mysql: 'mariadb',
  postgres: 'psql',
  sqlite: 'sqlite3',
};

/** Feeds the database's own command-line client, and answers what it prints. */
export async function runInClient(schema: TestSchema, sql: string): Promise<string> {
  const [program, ...args] = clientOf(schema);
  return runProgram(program, args, sql);
}

/** Throws what the program has complained about. */
export async function runProgram(program: string, args: readonly string[], input: string): Promise<string> {
  // An English locale without a charset: what a server, a cron job or a container has.
  const child = spawn(program, args, { env: { ...process.env, LC_ALL: 'C' } });
  // A client that gives up stops reading.
  child.stdin.on('error', () => undefined).end(input);
  const [output, complaint, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number]>,
  ]);
  if (status !== 0) throw new Error(`${program} ended with status ${status}: ${complaint}`);
  return output;
}

/** All of them stop at the first error and print nothing but rows. */
function clientOf({ options }: TestSchema): [program: string, ...args: string[]] {
  switch (options.type) {
    case 'mysql':
    case 'mariadb':
      return ['mariadb', ...mysqlFamily(new URL(options.url ?? ''))];
    case 'postgres':
      return [
        'psql',
        '--no-psqlrc',
        '--quiet',
        '--tuples-only',
        '--no-align',
        '--set=ON_ERROR_STOP=1',
        options.url ?? '',
      ];
    case 'better-sqlite3':
      return ['sqlite3', '-init', '/dev/null', '-batch', '-bail', '-cmd', '.timeout 5000', options.database];
    default:
      throw new Error(`no client is known for ${options.type}`);
  }
}

function mysqlFamily({ hostname, port, username, password, pathname }: URL): string[] {
  return [
    '--no-defaults',
    '--default-character-set=utf8mb4',
    '--protocol=tcp',
    // The throwaway servers have certificates that nobody has signed.
    '--skip-ssl',
    `--host=${hostname}`,
    `--port=${port || 3306}`,
    `--user=${decodeURIComponent(username)}`,
    `--password=${decodeURIComponent(password)}`,
    '--batch',
    '--skip-column-names',
    pathname.slice(1),
  ];
}
