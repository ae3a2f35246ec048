import type { Redis, RedisOptions } from 'ioredis';
import { InvalidOptionError } from '../errors/invalid-option.error.js';
import { OptionReader } from '../options/option-reader.js';
import { WakeUps, type WakeUpChannel, type WakeUpListener } from '../signal/wake-ups.js';
import { loadPeer } from '../support/load-peer.js';
import { RedisWakeUpChannel } from './redis.wake-up-channel.js';

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
  keyPrefix: '',
  connectTimeout: 5_000,
  commandTimeout: 5_000,
  // Not all at the same time: the others have lost theirs as well.
  retryStrategy: (times: number) => Math.min(100 * 2 ** Math.min(times, 10), 5_000) * (0.5 + Math.random() / 2),
} satisfies RedisOptions;

/**
 * Wake-ups over pub/sub of Redis, for `forRoot({ wakeUps: redisWakeUps({ url }) })`. Needs the package ioredis.
 *
 * @publicApi
 */
export function redisWakeUps(options: RedisWakeUpOptions = {}): WakeUps {
  const reader = new OptionReader(OWNER, options, ['url', 'options', 'client', 'prefix']);
  const { client, url } = options;
  if (client !== undefined && typeof (client as Partial<Redis>).duplicate !== 'function')
    reader.refuse('client', client, 'Give a Redis of ioredis.');
  if (client !== undefined && (url !== undefined || options.options !== undefined))
    throw new InvalidOptionError(`${OWNER}.client`, client, 'Give either a client, or url and options.');
  reader.group('options', Object.keys(options.options ?? {}));
  reader.text('url');
  return new RedisWakeUps(options, reader.text('prefix') ?? 'nestjs-persistent-queue');
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
    const own = { ...options, ...OURS, connectionName: options?.connectionName ?? listener.clientName };
    const connect = () => {
      if (client !== undefined) return client.duplicate(OURS);
      return url === undefined ? new Client(own) : new Client(url, own);
    };
    return new RedisWakeUpChannel(connect, `${this.prefix}:${listener.topic}`, listener);
  }
}
