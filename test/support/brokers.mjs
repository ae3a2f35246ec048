import amqp from 'amqplib';
import { Redis } from 'ioredis';
import { join } from 'node:path';
import { findRabbitMq, inPath } from './binaries.mjs';
import { freePort, ThrowawayServer } from './throwaway.mjs';

/** Those whose programs are on this machine; `npm test -- --proof` reports the others. */
export function brokers() {
  return [
    ...(inPath('redis-server') ? [{ name: 'Redis', start: startRedis }] : []),
    ...(findRabbitMq() ? [{ name: 'RabbitMQ', start: startRabbitMq }] : []),
  ];
}

/**
 * Starts a Redis of our own; undefined when the program is missing. It keeps nothing on its disk: what Nest sends through it is
 * published, and a restart finds none of that, with a file of its data or without.
 */
export async function startRedis() {
  const program = inPath('redis-server');
  if (!program) return undefined;
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  return startBroker(url, async (server) => {
    const args = [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--dir',
      server.folder,
      '--save',
      '',
      '--appendonly',
      'no',
    ];
    await server.start(program, args, { connect: () => pingRedis(url) });
  });
}

async function pingRedis(url) {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: null });
  // Without a listener of its own it prints what `connect()` rejects with anyway.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.ping();
  } finally {
    client.disconnect();
  }
}

/** Starts a RabbitMQ of our own; undefined when the programs are missing. A persistent message that it has confirmed is on its disk. */
export async function startRabbitMq() {
  const programs = findRabbitMq();
  if (!programs) return undefined;
  const [port, nodePort, mapperPort] = [await freePort(), await freePort(), await freePort()];
  const url = `amqp://guest:guest@127.0.0.1:${port}`;
  return startBroker(url, async (server) => {
    // The server would start one as a daemon, for the whole machine, which outlives it.
    server.accompany(programs.portMapper, ['-port', String(mapperPort), '-address', '127.0.0.1']);
    await server.start(programs.server, ['-noinput'], {
      env: environment(server.folder, port, nodePort, mapperPort),
      connect: async () => (await amqp.connect(url)).close(),
    });
  });
}

/** Nothing of it is shared with another RabbitMQ on this machine: no name, no port, no file. */
function environment(folder, port, nodePort, mapperPort) {
  const within = (name) => join(folder, name);
  return {
    // Where the cookie is kept.
    HOME: folder,
    ERL_CRASH_DUMP: within('crash.dump'),
    ERL_EPMD_PORT: String(mapperPort),
    ERL_FLAGS: '-kernel inet_dist_use_interface {127,0,0,1}',
    RABBITMQ_NODENAME: `pq-${port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(nodePort),
    RABBITMQ_MNESIA_BASE: within('data'),
    RABBITMQ_LOG_BASE: within('log'),
    RABBITMQ_LOGS: '-',
    RABBITMQ_CONFIG_FILE: within('no-config'),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_ENABLED_PLUGINS_FILE: within('no-plugins'),
    RABBITMQ_GENERATED_CONFIG_DIR: within('config'),
    RABBITMQ_SCHEMA_DIR: within('schema'),
    // The script becomes the server, instead of starting it: a signal to it is one to the server.
    RABBITMQ_ALLOW_INPUT: '1',
  };
}

async function startBroker(url, start) {
  const server = new ThrowawayServer({ stopSignal: 'SIGTERM' });
  try {
    await start(server);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return { url, stop: () => server.stop(), crash: () => server.crash(), restart: () => server.restart() };
}
