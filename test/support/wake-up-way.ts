import { describe } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import type { PersistentQueueOptions } from '../../lib/options/module-options.js';
import { redisWakeUps } from '../../lib/redis/index.js';
import { brokers, startRedis } from './brokers.mjs';
import { databaseOn, databases, type TestSchema } from './databases.js';
import { startPostgres } from './servers.mjs';

/** The module's, with the default `tablePrefix`. */
const TOPIC = 'pq_wake_ups';

/** One of the ways on which processes wake each other, with a server of its own that a test may end. */
export interface WakeUpWay {
  schema: TestSchema;
  options(): Pick<PersistentQueueOptions, 'wakeUps'>;
  /** For processes: the options, and where Redis is. */
  inProcess: { options: PersistentQueueOptions; redis?: { url: string; prefix: string } };
  /** How many connections listen. */
  listeners(): Promise<number>;
  /** All that is sent from now on, in order. */
  overhear(): Promise<{ messages: string[]; stop(): Promise<void> }>;
  send(message: string): Promise<void>;
  /** Ends the connections of those who listen, from the server's side. */
  cut(): Promise<void>;
  crash(): Promise<void>;
  restart(): Promise<void>;
  close(): Promise<void>;
}

export interface WaySettings {
  /** For measurements: as `startPostgres()` has it. */
  durable?: boolean;
}

interface Way {
  name: 'postgres' | 'redis';
  start: (settings?: WaySettings) => Promise<WakeUpWay>;
}

/** For each of them; those whose programs are not on this machine are reported and skipped. */
export function describeWays(title: string, tests: (way: Way) => void): void {
  const isHere = {
    postgres: databases().some(({ name }) => name === 'postgres'),
    redis: brokers().some(({ name }) => name === 'Redis'),
  };
  const ways: Way[] = [
    { name: 'postgres', start: overPostgres },
    { name: 'redis', start: overRedis },
  ];
  for (const way of ways) {
    const { name } = way;
    if (!isHere[name])
      console.warn(`NOT TESTED: wake-ups over ${name}. Install it (Debian: postgresql, redis-server).`);
    (isHere[name] ? describe : describe.skip)(title.replace('$name', name), () => tests(way));
  }
}

async function overPostgres(settings: WaySettings = {}): Promise<WakeUpWay> {
  const server = await startPostgres(settings);
  if (server === undefined) throw new Error('PostgreSQL does not start');
  const schema = await databaseOn('postgres', server.url).create();
  const { url } = schema.options as { url: string };
  const ask = (sql: string, parameters?: unknown[]) => withClient(url, (client) => client.query(sql, parameters));
  const listening = listenersOn(url);
  return {
    schema,
    options: () => ({ wakeUps: 'postgres' }),
    inProcess: { options: { wakeUps: 'postgres' } },
    listeners: async () => (await listening()).length,
    overhear: async () => {
      const client = new Client(url);
      client.on('error', () => undefined);
      await client.connect();
      const messages: string[] = [];
      client.on('notification', ({ payload = '' }) => messages.push(payload));
      await client.query(`LISTEN ${TOPIC}`);
      return { messages, stop: () => client.end() };
    },
    send: async (message) => void (await ask('SELECT pg_notify($1, $2)', [TOPIC, message])),
    cut: async () => {
      const pids = (await listening()).map(({ pid }) => pid);
      await ask('SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid', [pids]);
    },
    crash: () => server.crash(),
    restart: () => server.restart(),
    close: async () => {
      await schema.drop();
      await server.stop();
    },
  };
}

/** A session shows its last statement only: whoever was seen to listen is remembered, and listens for as long as it lasts. */
function listenersOn(url: string): () => Promise<{ pid: number; session: string }[]> {
  let known: string[] = [];
  return () =>
    withClient(url, async (client) => {
      const found = await client.query(
        `SELECT * FROM (SELECT pid, pid || ' ' || backend_start AS session, query FROM pg_stat_activity
         WHERE datname = current_database()) AS sessions
         WHERE query = 'LISTEN "${TOPIC}"' OR session = ANY($1)`,
        [known],
      );
      known = found.rows.map(({ session }) => session);
      return found.rows;
    });
}

async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client(url);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The jobs are on another server, which stays. */
async function overRedis(): Promise<WakeUpWay> {
  const server = await startRedis();
  const database = databases().find(({ name }) => name === 'mariadb') ?? databases()[0];
  if (server === undefined || database === undefined) throw new Error('Redis does not start');
  const { url } = server;
  const prefix = `test-${randomBytes(4).toString('hex')}`;
  const channel = `${prefix}:${TOPIC}`;
  const schema = await database.create();
  return {
    schema,
    options: () => ({ wakeUps: redisWakeUps({ url, prefix }) }),
    inProcess: { options: {}, redis: { url, prefix } },
    listeners: () => withRedis(url, async (redis) => Number((await redis.pubsub('NUMSUB', channel))[1])),
    overhear: async () => {
      const redis = connect(url);
      const messages: string[] = [];
      redis.on('message', (_: string, message: string) => messages.push(message));
      await redis.connect();
      await redis.subscribe(channel);
      return { messages, stop: async () => redis.disconnect() };
    },
    send: async (message) => void (await withRedis(url, (redis) => redis.publish(channel, message))),
    cut: async () => void (await withRedis(url, (redis) => redis.client('KILL', 'TYPE', 'pubsub'))),
    crash: () => server.crash(),
    restart: () => server.restart(),
    close: async () => {
      await schema.drop();
      await server.stop();
    },
  };
}

function connect(url: string): Redis {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  redis.on('error', () => undefined);
  return redis;
}

async function withRedis<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = connect(url);
  try {
    await redis.connect();
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}
