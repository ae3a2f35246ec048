import type { Redis } from 'ioredis';
import type { WakeUpChannel, WakeUpListener } from '../signal/wake-ups.js';

/** A connection that a network has silently dropped would hear nothing for ever: so often it is asked, in milliseconds. */
const PING_EVERY = 30_000;
/** In milliseconds: until the next try to connect. */
const FIRST_PAUSE = 200;
const LONGEST_PAUSE = 5_000;

/** Makes a client that connects by itself, and again after so many milliseconds. */
export type Connect = (retryStrategy: () => number) => Redis;

export interface RedisWakeUpNames {
  readonly channel: string;
  readonly connection: string;
}

/** One connection to publish, and where it listens another one, because a connection that subscribes may do nothing else. */
export class RedisWakeUpChannel implements WakeUpChannel {
  private readonly publisher: Redis;
  private readonly clients: readonly Redis[];
  private readonly ready = new Set<Redis>();
  private readonly tries = new Map<Redis, number>();
  private readonly causes = new Map<Redis, unknown>();
  private readonly pings: NodeJS.Timeout;
  private isClosed = false;

  constructor(
    private readonly connect: Connect,
    private readonly names: RedisWakeUpNames,
    private readonly listener: WakeUpListener,
  ) {
    this.publisher = this.open((client) => client.ping());
    this.clients = listener.listens ? [this.publisher, this.subscribe()] : [this.publisher];
    this.pings = setInterval(() => this.ping(), PING_EVERY).unref();
  }

  async send(message: string): Promise<void> {
    await this.publisher.publish(this.names.channel, message);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearInterval(this.pings);
    for (const client of this.clients) client.disconnect();
  }

  private subscribe(): Redis {
    const client = this.open((subscriber) => subscriber.subscribe(this.names.channel));
    client.on('message', (_channel: string, message: string) => this.listener.hear(message));
    return client;
  }

  /** ioredis calls a connection ready, and forgets how often it has tried, before a password or anything else has been accepted. */
  private open(prepare: (client: Redis) => Promise<unknown>): Redis {
    const client: Redis = this.connect(() => this.pauseOf(client));
    // One that nobody hears would end the process. There are some, such as of a SELECT, with which a connection is as good as ever.
    client.on('error', (error) => this.failed(client, error));
    client.on('close', () => this.down(client));
    client.on('ready', () => {
      // ioredis would send it, too, and would take one that ends meanwhile for one that is ready, for ever.
      client.client('SETNAME', this.names.connection).catch(() => undefined);
      prepare(client).then(
        () => this.up(client),
        (error: unknown) => this.refused(client, error),
      );
    });
    return client;
  }

  /** Not all at the same time: the others have lost theirs as well. */
  private pauseOf(client: Redis): number {
    const tries = this.tries.get(client) ?? 0;
    this.tries.set(client, tries + 1);
    return Math.min(FIRST_PAUSE * 2 ** Math.min(tries, 10), LONGEST_PAUSE) * (0.5 + Math.random() / 2);
  }

  private up(client: Redis): void {
    this.ready.add(client);
    this.tries.delete(client);
    this.causes.delete(client);
    if (this.ready.size === this.clients.length) this.listener.connected();
  }

  private failed(client: Redis, error: unknown): void {
    this.causes.set(client, error);
    // A search for a server that goes on without a connection tells nothing else.
    if (!this.ready.has(client)) this.lost(error);
  }

  private down(client: Redis): void {
    this.ready.delete(client);
    this.lost(this.causes.get(client) ?? new Error('The connection to Redis is closed'));
  }

  /** By a Redis that is there, for lack of a permission, for example; or because the connection has ended. */
  private refused(client: Redis, error: unknown): void {
    this.failed(client, error);
    client.disconnect(!this.isClosed);
  }

  private lost(error: unknown): void {
    if (!this.isClosed) this.listener.lost(error);
  }

  private ping(): void {
    for (const client of this.ready) client.ping().catch(() => client.disconnect(true));
  }
}
