import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { createConnection, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { QueueEvent } from '../../lib/events/queue-event.js';
import { redisWakeUps, type RedisWakeUpOptions } from '../../lib/redis/index.js';
import { RedisWakeUpChannel } from '../../lib/redis/redis.wake-up-channel.js';
import type { WakeUpChannel } from '../../lib/signal/wake-ups.js';
import { startApp } from '../support/app-fixture.js';
import { brokers, startRedis } from '../support/brokers.mjs';
import { databases } from '../support/databases.js';
import { waitUntil } from '../support/wait-until.js';

const hasRedis = brokers().some(({ name }) => name === 'Redis');
if (!hasRedis) console.warn('NOT TESTED: connections to Redis. Install it (Debian: redis-server).');

(hasRedis ? describe : describe.skip)('a connection to Redis for wake-ups', () => {
  let server: NonNullable<Awaited<ReturnType<typeof startRedis>>>;
  let port: number;
  let gate: Gate | undefined;
  let admin: Redis;
  const channels: WakeUpChannel[] = [];
  beforeAll(async () => {
    server = (await startRedis())!;
    port = Number(new URL(server.url).port);
    admin = new Redis(server.url);
  }, 60_000);
  afterEach(async () => {
    for (const channel of channels.splice(0)) await channel.close();
    await gate?.close();
    gate = undefined;
  });
  afterAll(async () => {
    admin.disconnect();
    await server.stop();
  });

  /** What the module is told. */
  async function open(options: RedisWakeUpOptions, listens: boolean): Promise<{ connected: number; lost: unknown[] }> {
    const told = { connected: 0, lost: [] as unknown[] };
    const listener = { topic: 't', listens, clientName: 'mine', hear: () => undefined };
    const connected = () => void told.connected++;
    const lost = (error: unknown) => void told.lost.push(error);
    channels.push(await redisWakeUps(options).open({ ...listener, connected, lost }));
    return told;
  }

  it('with a wrong password is lost once, never restored, and tried again ever more slowly', async () => {
    await admin.config('SET', 'requirepass', 'right');
    const proxy = (gate = await Gate.open(port));
    const schema = await databases()[0]!.create();
    const wakeUps = redisWakeUps({ options: { port: proxy.port, password: 'wrong' } });
    const fixture = await startApp(schema, { queue: { roles: ['enqueue'], wakeUps } });
    const events: QueueEvent[] = [];
    fixture.queue.events$.subscribe((event) => events.push(event));
    await waitUntil(() => proxy.times.length === 5, { timeout: 20_000, describe: 'the fifth try' });
    const pauses = proxy.times.slice(1).map((time, n) => time - Number(proxy.times[n]));
    await fixture.close();
    await schema.drop();
    await admin.config('SET', 'requirepass', '');
    expect(pauses[3]).toBeGreaterThan(2 * Number(pauses[0]));
    expect(events.filter(({ name }) => name.startsWith('wake-ups.'))).toEqual([
      expect.objectContaining({ name: 'wake-ups.lost', error: expect.stringContaining('WRONGPASS') }),
    ]);
  }, 30_000);

  it('through a proxy whose Redis is away is tried until it is back', async () => {
    const proxy = (gate = await Gate.open(port));
    proxy.isShut = true;
    const told = await open({ options: { port: proxy.port } }, true);
    await waitUntil(() => proxy.times.length >= 4);
    expect(told.connected).toBe(0);
    proxy.isShut = false;
    await waitUntil(() => told.connected > 0, { timeout: 10_000, describe: 'it to be connected' });
    expect(await admin.client('LIST')).toContain('name=mine');
  }, 30_000);

  it('that has no permission to listen is tried again, and stays once it has it', async () => {
    const proxy = (gate = await Gate.open(port));
    await admin.acl('SETUSER', 'hints', 'on', '>secret', '+ping', '+publish', '+subscribe', 'resetchannels');
    const told = await open({ options: { port: proxy.port, username: 'hints', password: 'secret' } }, true);
    await waitUntil(() => told.lost.length > 0);
    expect(String(told.lost[0])).toContain('NOPERM');
    await admin.acl('SETUSER', 'hints', 'allchannels');
    await waitUntil(() => told.connected > 0, { timeout: 10_000 });
    expect(await admin.pubsub('NUMSUB', 'nestjs-persistent-queue:t')).toEqual(['nestjs-persistent-queue:t', 1]);
  }, 30_000);

  it('that tells an error and goes on is still one, and is missed only while it is away', async () => {
    const told: string[] = [];
    const clients: Redis[] = [];
    const connect = (retryStrategy: () => number) => {
      clients.push(new Redis(port, { enableReadyCheck: false, maxRetriesPerRequest: 0, retryStrategy }));
      return clients.at(-1)!;
    };
    const listener = { topic: 't', listens: true, clientName: 'mine', hear: () => undefined };
    const connected = () => void told.push('connected');
    const lost = (error: unknown) => void told.push(String(error));
    const names = { channel: 'c', connection: 'mine' };
    channels.push(new RedisWakeUpChannel(connect, names, { ...listener, connected, lost }));
    await waitUntil(() => told.length === 1);
    clients[0]?.emit('error', new Error('SELECT is not allowed'));
    clients[1]?.disconnect(true);
    await waitUntil(() => told.length === 3, { timeout: 10_000 });
    expect(told).toEqual(['connected', 'Error: The connection to Redis is closed', 'connected']);
  });
});

/** A proxy before Redis. */
class Gate {
  static async open(port: number): Promise<Gate> {
    const gate = new Gate(port);
    await new Promise<void>((resolve) => gate.server.listen(0, '127.0.0.1', resolve));
    return gate;
  }

  /** When somebody has connected. */
  readonly times: number[] = [];
  /** It accepts then, and closes. */
  isShut = false;
  private readonly sockets = new Set<Socket>();
  private readonly server: Server = createServer((socket) => this.pass(socket));

  private constructor(private readonly target: number) {}

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private pass(socket: Socket): void {
    this.times.push(performance.now());
    const other = this.isShut ? undefined : createConnection(this.target, '127.0.0.1');
    for (const each of [socket, other]) {
      each?.on('error', () => undefined);
      if (each !== undefined) this.sockets.add(each);
    }
    if (other === undefined) return void socket.destroy();
    socket.pipe(other).pipe(socket);
    socket.on('close', () => other.destroy());
    other.on('close', () => socket.destroy());
  }
}
