import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import {
  findChromium,
  findGalera,
  findMariaDb,
  findMySql,
  findPostgres,
  findRabbitMq,
  inPath,
} from '../test/support/binaries.mjs';
import { unpackMySql } from './mysql.mjs';

const POLICY = '/usr/sbin/policy-rc.d';

const SERVERS = [
  {
    name: 'MariaDB',
    variable: 'MARIADB_URL',
    find: findMariaDb,
    packages: ['mariadb-server-core', 'mariadb-client-core'],
  },
  { name: 'PostgreSQL', variable: 'POSTGRES_URL', find: findPostgres, packages: ['postgresql'] },
];

/** What runs the statements of docs/producing-with-sql.md: no server of the user's replaces them. */
const CLIENTS = [
  { name: 'mariadb', packages: ['mariadb-client-core'] },
  { name: 'psql', packages: ['postgresql-client'] },
  { name: 'sqlite3', packages: ['sqlite3'] },
  { name: 'python3', packages: ['python3'] },
].map(({ name, packages }) => ({ name, packages, find: () => inPath(name) }));

/** What processes wake each other over, and the proof relays jobs through. */
const REDIS = { name: 'Redis', find: () => inPath('redis-server'), packages: ['redis-server'] };

/** What the proof relays jobs through, too. */
const RABBIT_MQ = { name: 'RabbitMQ', find: findRabbitMq, packages: ['rabbitmq-server'] };

/** Members of a cluster hand each other their data with rsync. */
const CLUSTERS = [{ name: 'Galera', find: findGalera, packages: ['galera-4', 'mariadb-server', 'rsync', 'socat'] }];

/** What the proof looks at the dashboard with. */
const BROWSERS = [{ name: 'Chromium', find: findChromium, packages: ['chromium', 'fonts-dejavu-core'] }];

/**
 * Makes the programs of the databases and of Redis available where possible, `forProof` those of the other broker and the browser too.
 * Answers a line for each one that stays out.
 */
export function ensureServers({ forProof = false } = {}) {
  const always = [...SERVERS, ...CLUSTERS, ...CLIENTS, REDIS];
  const needed = [...always, ...(forProof ? [RABBIT_MQ, ...BROWSERS] : [])].filter(isMissing);
  if (needed.length > 0 && canInstall()) install(needed);
  const missing = needed.filter(isMissing).map(({ name, variable, packages }) => {
    const cure = `${name}: install it (Debian: ${packages.join(' ')})`;
    return variable ? `${cure} or set ${variable}` : cure;
  });
  return [...missing, ...ensureMySql()];
}

/** No package of a stable Debian: it is downloaded into a cache instead, which needs no root. */
function ensureMySql() {
  if (!isMissing({ variable: 'MYSQL_URL', find: findMySql })) return [];
  try {
    unpackMySql();
    return [];
  } catch (error) {
    console.error(`MySQL cannot be downloaded: ${error.message}`);
    return ['MySQL: put mysqld into the PATH, or set MYSQL_URL'];
  }
}

function isMissing({ variable, find }) {
  return !(variable && process.env[variable]) && !find();
}

function canInstall() {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version');
}

function install(programs) {
  const packages = ['tzdata', ...programs.flatMap((program) => program.packages)];
  console.log(`Installing what the tests miss: apt-get install ${packages.join(' ')}`);
  // Tests start servers of their own: the packages' services must not run beside them.
  const withPolicy = !existsSync(POLICY);
  if (withPolicy) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    aptGet(['update', '-q']);
    aptGet(['install', '-y', '-q', '--no-install-recommends', ...packages]);
  } finally {
    if (withPolicy) rmSync(POLICY);
  }
}

/** A failure is not the end: the box at the end of the run names what is missing. */
function aptGet(args) {
  spawnSync('apt-get', args, { stdio: 'inherit', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
}
