import type { Redis } from 'ioredis';
import type { WakeUpChannel, WakeUpListener } from '../signal/wake-ups.js';

/** A connection that a network has silently dropped would hear nothing for ever: so often it is asked, in milliseconds. */
const PING_EVERY = 30_000;
/** Until what Redis has refused is tried again, in milliseconds. */
const REFUSED_PAUSE = 5_000;

/** One connection to publish, and where it listens another one, because a connection that subscribes may do nothing else. */
export class RedisWakeUpChannel implements WakeUpChannel {
  private readonly publisher: Redis;
  private readonly clients: readonly Redis[];
  private readonly ready = new Set<Redis>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private isClosed = false;

  constructor(
    connect: () => Redis,
    private readonly name: string,
    private readonly listener: WakeUpListener,
  ) {
    this.publisher = this.watch(connect(), async () => undefined);
    this.clients = listener.listens ? [this.publisher, this.subscribe(connect())] : [this.publisher];
    this.timers.add(setInterval(() => this.ping(), PING_EVERY).unref());
  }

  async send(message: string): Promise<void> {
    await this.publisher.publish(this.name, message);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    for (const timer of this.timers) clearTimeout(timer);
    for (const client of this.clients) client.disconnect();
  }

  private subscribe(client: Redis): Redis {
    client.on('message', (_channel: string, message: string) => this.listener.hear(message));
    return this.watch(client, () => client.subscribe(this.name));
  }

  /** An 'error' that nobody hears would end the process. */
  private watch(client: Redis, prepare: () => Promise<unknown>): Redis {
    client.on('error', (error) => this.down(client, error));
    client.on('close', () => this.down(client, new Error('The connection to Redis is closed')));
    client.on('ready', () => {
      prepare().then(
        () => this.up(client),
        (error: unknown) => this.refused(client, error),
      );
    });
    return client;
  }

  private up(client: Redis): void {
    this.ready.add(client);
    if (this.ready.size === this.clients.length) this.listener.connected();
  }

  private down(client: Redis, error: unknown): void {
    this.ready.delete(client);
    if (!this.isClosed) this.listener.lost(error);
  }

  /** By a Redis that is there: for lack of a permission, for example. */
  private refused(client: Redis, error: unknown): void {
    this.down(client, error);
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      client.disconnect(true);
    }, REFUSED_PAUSE);
    this.timers.add(timer.unref());
  }

  private ping(): void {
    for (const client of this.ready) client.ping().catch(() => client.disconnect(true));
  }
}
