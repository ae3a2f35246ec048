import { Redis } from 'ioredis';
import { inPath } from '../../test/support/binaries.mjs';
import { freePort, ThrowawayServer } from '../../test/support/throwaway.mjs';

/** What its users run: everything is written to a file, which reaches the disk once per second. */
const SETTINGS = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction'];

const COMMANDS = /total_commands_processed:(\d+)/;

export async function open() {
  const program = inPath('redis-server');
  if (program === undefined) return undefined;
  const server = new ThrowawayServer({ stopSignal: 'SIGTERM' });
  const address = { host: '127.0.0.1', port: await freePort() };
  const place = ['--bind', address.host, '--port', String(address.port), '--dir', server.folder];
  await server.start(program, [...place, ...SETTINGS], {
    connect: () => withConnection(address, (redis) => redis.ping()),
  });
  const version = await withConnection(address, (redis) => redis.info('server'));
  return {
    address,
    title: `Redis ${/redis_version:(\S+)/.exec(version)[1]}`,
    create: async () => ({ ...(await attach(address)), drop: () => empty(address) }),
    stop: () => server.stop(),
  };
}

export async function attach(address) {
  return {
    address,
    statements: () => withConnection(address, async (redis) => Number(COMMANDS.exec(await redis.info('stats'))[1])),
    close: async () => undefined,
  };
}

function empty(address) {
  return withConnection(address, (redis) => redis.flushall());
}

async function withConnection(address, work) {
  const redis = new Redis({ ...address, lazyConnect: true, retryStrategy: null });
  // Its refusal is answered by connect() already.
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}
