import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { Client } from 'pg';
import { findMariaDb, findMySql, findPostgres } from './binaries.mjs';
import { accountOf, freePort, ThrowawayServer } from './throwaway.mjs';

/** Not UTC, with daylight saving time: a query that mixes up zones gives a wrong answer here. */
const TIME_ZONE = 'Europe/Berlin';

/**
 * Starts a MariaDB of our own; undefined when the programs are missing.
 * `durable` keeps every promise about the disk, for measurements; without it tests are faster. With `tls` it takes no other
 * connections, and `ssl` is how to trust it.
 */
export async function startMariaDb({ durable = false, tls = false, maxConnections = 500 } = {}) {
  const programs = findMariaDb();
  if (!programs) return undefined;
  const port = await freePort();
  const url = `mysql://root@127.0.0.1:${port}`;
  return startServer({ stopSignal: 'SIGTERM' }, url, async (server) => {
    const data = join(server.folder, 'data');
    const shown = tls ? await selfSigned(server) : undefined;
    const user = process.getuid() === 0 ? ['--user=root'] : [];
    await server.run(programs.install, [
      '--no-defaults',
      `--datadir=${data}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
      '--skip-name-resolve',
      ...user,
    ]);
    const args = [
      '--no-defaults',
      `--datadir=${data}`,
      `--socket=${join(server.folder, 'socket')}`,
      `--pid-file=${join(server.folder, 'pid')}`,
      // At its start a server removes the temporary tables of its folder, those of its neighbours in /tmp included.
      `--tmpdir=${server.folder}`,
      '--bind-address=127.0.0.1',
      `--port=${port}`,
      '--skip-log-bin',
      '--skip-name-resolve',
      `--max-connections=${maxConnections}`,
      '--max-allowed-packet=64M',
      '--character-set-server=utf8mb4',
      '--default-time-zone=SYSTEM',
      `--innodb-buffer-pool-size=${durable ? '1G' : '128M'}`,
      `--innodb-flush-log-at-trx-commit=${durable ? 1 : 2}`,
      ...user,
      ...(shown ? [`--ssl-cert=${shown.certificate}`, `--ssl-key=${shown.key}`, '--require-secure-transport=ON'] : []),
    ];
    await server.start(programs.server, args, {
      env: { TZ: TIME_ZONE },
      connect: async () => (await mysql.createConnection({ uri: url, ...(shown && { ssl: shown.trust }) })).end(),
    });
    return shown?.trust;
  });
}

/** Starts a MySQL of our own; undefined when there is none to start. */
export async function startMySql({ durable = false } = {}) {
  const mysqld = findMySql();
  if (!mysqld) return undefined;
  const port = await freePort();
  const url = `mysql://root@127.0.0.1:${port}`;
  return startServer({ stopSignal: 'SIGTERM' }, url, async (server) => {
    const common = [
      ...mysqld.args,
      `--datadir=${join(server.folder, 'data')}`,
      // Compiled in is a folder that only a package makes.
      '--secure-file-priv=NULL',
      ...(process.getuid() === 0 ? ['--user=root'] : []),
    ];
    await server.run(mysqld.program, [...common, '--initialize-insecure', '--auto-generate-certs=OFF']);
    const args = [
      ...common,
      `--socket=${join(server.folder, 'socket')}`,
      `--pid-file=${join(server.folder, 'pid')}`,
      '--bind-address=127.0.0.1',
      `--port=${port}`,
      '--mysqlx=0',
      '--skip-log-bin',
      '--max-connections=500',
      '--max-allowed-packet=64M',
      '--default-time-zone=SYSTEM',
      `--innodb-buffer-pool-size=${durable ? '1G' : '128M'}`,
      `--innodb-flush-log-at-trx-commit=${durable ? 1 : 2}`,
      `--innodb-doublewrite=${durable ? 'ON' : 'OFF'}`,
    ];
    await server.start(mysqld.program, args, {
      env: { ...mysqld.env, TZ: TIME_ZONE },
      connect: async () => (await mysql.createConnection(url)).end(),
    });
  });
}

/** Others than the administrator have passwords. */
const TLS_ONLY = 'hostssl all postgres 127.0.0.1/32 trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n';

/** Starts a PostgreSQL of our own, as `startMariaDb` does; undefined when the programs are missing. */
export async function startPostgres({ durable = false, tls = false, maxConnections = 500, walLevel = 'replica' } = {}) {
  const programs = findPostgres();
  if (!programs) return undefined;
  const port = await freePort();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const owner = accountOf('postgres');
  return startServer({ stopSignal: 'SIGINT', owner }, url, async (server) => {
    const data = join(server.folder, 'data');
    await server.run(programs.initdb, [
      '-D',
      data,
      '-U',
      'postgres',
      '-A',
      'trust',
      '-E',
      'UTF8',
      '--locale=C',
      '--no-sync',
    ]);
    const shown = tls ? await selfSigned(server) : undefined;
    if (shown) writeFileSync(join(data, 'pg_hba.conf'), TLS_ONLY);
    const settings = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      timezone: TIME_ZONE,
      max_connections: maxConnections,
      wal_level: walLevel,
      shared_buffers: durable ? '512MB' : '128MB',
      fsync: durable ? 'on' : 'off',
      synchronous_commit: durable ? 'on' : 'off',
      full_page_writes: durable ? 'on' : 'off',
      ...(shown && { ssl: 'on', ssl_cert_file: shown.certificate, ssl_key_file: shown.key }),
      // Of all tests together: where there is no room for another statement, the counts of rare ones are thrown away.
      ...(programs.hasStatementCounters && {
        shared_preload_libraries: 'pg_stat_statements',
        'pg_stat_statements.max': 50_000,
      }),
    };
    const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    await server.start(programs.server, ['-D', data, '-p', String(port), ...options], {
      connect: async () => {
        const client = new Client({ connectionString: url, ssl: shown?.trust });
        await client.connect();
        await client.end();
      },
    });
    return shown?.trust;
  });
}

/** A certificate that only those trust who are given it, and its key. */
async function selfSigned(server) {
  const key = join(server.folder, 'key.pem');
  const certificate = join(server.folder, 'certificate.pem');
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const files = ['-keyout', key, '-out', certificate];
  await server.run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...files, ...names]);
  return { key, certificate, trust: { ca: readFileSync(certificate, 'utf8') } };
}

async function startServer(options, url, start) {
  const server = new ThrowawayServer(options);
  let ssl;
  try {
    ssl = await start(server);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return { url, ssl, stop: () => server.stop(), crash: () => server.crash(), restart: () => server.restart() };
}
