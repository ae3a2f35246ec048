import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { findUnpackedMySql } from '../../tools/mysql.mjs';

/** Paths of the MariaDB server programs, or undefined when one of them is missing. */
export function findMariaDb() {
  const server = inPath('mariadbd') ?? inPath('mysqld');
  const install = inPath('mariadb-install-db');
  return server && install && { server, install };
}

const GALERA = ['/usr/lib/galera/libgalera_smm.so', '/usr/lib64/galera-4/libgalera_smm.so'];

/** Paths of what a Galera cluster of MariaDB servers needs, or undefined when one of them is missing. */
export function findGalera() {
  const programs = findMariaDb();
  const provider = GALERA.find((file) => existsSync(file));
  return programs && provider && inPath('rsync') && { ...programs, provider };
}

/** How to start a MySQL: the one in the PATH, or the one that `npm test` has unpacked; undefined when there is none. */
export function findMySql() {
  const server = inPath('mysqld');
  if (server && !isMariaDb(server)) return { program: server, args: ['--no-defaults'], env: {} };
  return findUnpackedMySql();
}

/** MariaDB's server answers to MySQL's name as well. */
function isMariaDb(server) {
  return execFileSync(server, ['--version'], { encoding: 'utf8' }).includes('MariaDB');
}

/** Paths of the PostgreSQL server programs, or undefined when one of them is missing. */
export function findPostgres() {
  for (const folder of postgresFolders()) {
    const server = executable(join(folder, 'postgres'));
    const initdb = executable(join(folder, 'initdb'));
    if (server && initdb) return { server, initdb, hasStatementCounters: hasStatementCounters(server) };
  }
  return undefined;
}

/** Debian keeps the server programs out of the PATH, one folder per major version: the newest goes first. */
function postgresFolders() {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).toSorted((a, b) => Number(b) - Number(a)) : [];
  return [...pathFolders(), ...versions.map((version) => join(debian, version, 'bin'))];
}

/** pg_stat_statements is a separate package on some systems, and a server that cannot load it does not start. */
function hasStatementCounters(server) {
  try {
    const pgConfig = join(dirname(realpathSync(server)), 'pg_config');
    const libraries = execFileSync(pgConfig, ['--pkglibdir'], { encoding: 'utf8' }).trim();
    return existsSync(join(libraries, 'pg_stat_statements.so'));
  } catch {
    return false;
  }
}

/** Paths of the RabbitMQ server programs, or undefined when one of them is missing. */
export function findRabbitMq() {
  // What Debian puts into the PATH changes the user and logs into the system's folders.
  const server = executable('/usr/lib/rabbitmq/bin/rabbitmq-server') ?? inPath('rabbitmq-server');
  const portMapper = inPath('epmd');
  return server && portMapper && { server, portMapper };
}

/** The path of a Chromium, under any of the names that systems give it. */
export function findChromium() {
  return inPath('chromium') ?? inPath('chromium-browser') ?? inPath('google-chrome');
}

/** The path of a program, or undefined when it is missing. */
export function inPath(name) {
  return pathFolders()
    .map((folder) => executable(join(folder, name)))
    .find(Boolean);
}

/** A user's PATH often lacks the folders in which distributions put servers. */
function pathFolders() {
  return [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), '/usr/sbin', '/usr/local/sbin'];
}

function executable(file) {
  try {
    accessSync(file, constants.X_OK);
    return file;
  } catch {
    return undefined;
  }
}
