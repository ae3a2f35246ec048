import { isAbsolute, resolve } from 'node:path';
import type { DataSourceOptions } from 'typeorm';
import { UsageError } from '../errors/usage.error.js';
import { readDataSourceFile } from './data-source-file.js';
import type { Settings } from './settings.js';

/** The database that a command is about. */
export interface Where {
  readonly options: DataSourceOptions;
  /** For people: without a password. */
  readonly label: string;
}

export const URL_VARIABLE = 'PERSISTENT_QUEUE_URL';

const SERVERS: Readonly<Record<string, 'mysql' | 'mariadb' | 'postgres'>> = {
  mysql: 'mysql',
  mariadb: 'mariadb',
  postgres: 'postgres',
  postgresql: 'postgres',
};
const EXAMPLES = 'mysql://user@host/database, mariadb://…, postgres://… or sqlite:///path/to/file';

/** What the command line names wins over the environment. */
export async function findDatabase(
  { url, dataSource }: Settings,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Where> {
  if (url !== undefined && dataSource !== undefined)
    throw new UsageError('--url and --data-source name two databases', dataSource, 'Give one of them.');
  if (dataSource !== undefined) return { options: await readDataSourceFile(dataSource), label: dataSource };
  const given = url ?? environment[URL_VARIABLE];
  if (given !== undefined && given !== '') return readUrl(given);
  throw new UsageError(
    'No database is named',
    given,
    `Give --url (${EXAMPLES}), set ${URL_VARIABLE}, or give --data-source path/to/data-source.js.`,
  );
}

export function readUrl(given: string): Where {
  const scheme = /^([a-z0-9+.-]+):/i.exec(given)?.[1]?.toLowerCase();
  if (scheme === 'sqlite') return sqlite(given.slice('sqlite:'.length));
  const type = SERVERS[scheme ?? ''];
  // Without what follows the scheme: there may be a password in it.
  if (type === undefined) throw new UsageError('--url is of no known database', scheme, `Give ${EXAMPLES}.`);
  const url = parse(given, type);
  // TypeORM would leave them out without a word, TLS included.
  if (type !== 'postgres' && url.search !== '') {
    const cure = 'Leave them out: for TLS and the like give a file with --data-source.';
    // Their names alone: one may be a password.
    throw new UsageError(`--url ${type}://… takes no parameters`, [...url.searchParams.keys()].join(', '), cure);
  }
  // Without a host it is only the kind of database that is asked for: see install --print.
  if (type !== 'postgres' && url.host !== '' && url.pathname.length < 2)
    throw new UsageError('--url names no database', label(url), `Give ${type}://host/database.`);
  url.protocol = `${type}:`;
  return { options: { type, url: url.href }, label: label(url) };
}

function parse(given: string, type: string): URL {
  try {
    return new URL(given);
  } catch {
    throw new UsageError(
      '--url cannot be read',
      `${type}://…`,
      `Give ${type}://user:password@host:port/database, with %40 for an @ in the password, %2F for a /.`,
    );
  }
}

function label(url: URL): string {
  const user = url.username === '' ? '' : `${decode(url.username, `${url.protocol}//…`)}@`;
  return `${url.protocol}//${user}${url.host}${url.pathname}`;
}

/** `sqlite:///absolute/path`, or `sqlite:relative/path`. */
function sqlite(rest: string): Where {
  const path = decode(rest.replace(/^\/\/(?=.)/, ''), `sqlite:${rest}`);
  if (path === '' || path === '//' || path.endsWith('/'))
    throw new UsageError('--url names no file', `sqlite:${rest}`, 'Give sqlite:///path/to/file.');
  const database = path === ':memory:' || isAbsolute(path) ? path : resolve(path);
  return { options: { type: 'better-sqlite3', database, timeout: 0 }, label: `sqlite://${database}` };
}

/** `shown`: what may be told of a URL that it cannot be read from. */
function decode(text: string, shown: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new UsageError('--url cannot be read', shown, 'Write %25 for a %.');
  }
}
