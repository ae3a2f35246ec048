import type { Redis, RedisOptions } from 'ioredis';
import { InvalidOptionError } from '../errors/invalid-option.error.js';
import { OptionReader } from '../options/option-reader.js';
import { WakeUps, type WakeUpChannel, type WakeUpListener } from '../signal/wake-ups.js';
import { loadPeer } from '../support/load-peer.js';
import { RedisWakeUpChannel, type Connect } from './redis.wake-up-channel.js';

const OWNER = 'redisWakeUps()';

/**
 * Where Redis is: a `url`, `options`, both, or a `client`. By default 127.0.0.1, port 6379.
 *
 * @publicApi
 */
export interface RedisWakeUpOptions {
  /** `redis://…` or, with TLS, `rediss://…`. */
  url?: string;
  /** Of ioredis: host, port, password, tls, sentinels and so on. What concerns lost connections is set by this library. */
  options?: RedisOptions;
  /** One that the application has: two more with its options are opened, and itself is left alone. */
  client?: Redis;
  /**
   * Begins the name of the channel. Give installations that share a Redis different ones, or they wake each other for nothing.
   * @default 'nestjs-persistent-queue'
   */
  prefix?: string;
}

/** What must hold for a hint, whatever the application prefers for its data: none queues up, and no failure stays unheard. */
const OURS = {
  lazyConnect: false,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  // It asks for INFO, which an account for hints need not be allowed.
  enableReadyCheck: false,
  disableClientInfo: true,
  // The channel gives it.
  connectionName: undefined,
  keyPrefix: '',
  connectTimeout: 5_000,
  commandTimeout: 5_000,
} satisfies RedisOptions;

/**
 * Wake-ups over pub/sub of Redis, for `forRoot({ wakeUps: redisWakeUps({ url }) })`. Needs the package ioredis.
 *
 * @publicApi
 */
export function redisWakeUps(options: RedisWakeUpOptions = {}): WakeUps {
  const { client, url, options: own, prefix } = checked(options);
  return new RedisWakeUps({ client, url, options: own }, prefix ?? 'nestjs-persistent-queue');
}

/** No error tells what was given: that is where passwords are. */
function checked(given: RedisWakeUpOptions): RedisWakeUpOptions {
  if (!isObject(given)) throw new InvalidOptionError(OWNER, given, 'Give an object of options.', { isSecret: true });
  const reader = new OptionReader(OWNER, given, ['url', 'options', 'client', 'prefix']);
  const { client, url, options } = given;
  if (url !== undefined && (typeof url !== 'string' || url === ''))
    reader.refuseSecret('url', url, "Give a string, such as 'redis://127.0.0.1:6379'.");
  if (options !== undefined && !isObject(options)) reader.refuseSecret('options', options, 'Give those of ioredis.');
  if (client !== undefined) checkClient(reader, client);
  if (client !== undefined && (url !== undefined || options !== undefined))
    reader.refuseSecret('client', client, 'Give either a client, or url and options.');
  return { ...given, prefix: reader.text('prefix') };
}

function checkClient(reader: OptionReader, client: Partial<Redis>): void {
  if (typeof client.duplicate !== 'function') reader.refuseSecret('client', client, 'Give a Redis of ioredis.');
  // It would be two clusters of connections, for what any one node carries to all of them.
  if (client.isCluster) reader.refuseSecret('client', client, 'It is a Cluster: give the url of any one of its nodes.');
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

class RedisWakeUps extends WakeUps {
  constructor(
    private readonly given: RedisWakeUpOptions,
    private readonly prefix: string,
  ) {
    super();
  }

  /** @throws MissingPeerError without ioredis */
  async open(listener: WakeUpListener): Promise<WakeUpChannel> {
    const { Redis: Client } = await loadPeer('ioredis', OWNER, () => import('ioredis'));
    const { client, url, options } = this.given;
    const connect: Connect = (retryStrategy) => {
      if (client !== undefined) return client.duplicate({ ...OURS, retryStrategy });
      const own = { ...options, ...OURS, retryStrategy };
      return url === undefined ? new Client(own) : new Client(url, own);
    };
    const connection = (client?.options ?? options)?.connectionName ?? listener.clientName;
    return new RedisWakeUpChannel(connect, { channel: `${this.prefix}:${listener.topic}`, connection }, listener);
  }
}
