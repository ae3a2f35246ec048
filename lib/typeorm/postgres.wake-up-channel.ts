import type { EventEmitter } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import type { WakeUpChannel, WakeUpListener } from '../signal/wake-ups.js';
import { InterruptibleSleep } from '../support/interruptible-sleep.js';
import { answerWithin } from './connection-deadline.js';

/** In milliseconds: until the next try to connect. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5_000;
/** How long the server may take to answer, in milliseconds. */
const DEADLINE = 5_000;
/** A connection that a network has silently dropped would hear nothing for ever: so often it is asked, in milliseconds. */
const PING_EVERY = 30_000;
const CLOSE_PATIENCE = 1_000;

/** Under its name it is parsed once for each connection. */
interface Prepared {
  readonly name: string;
  readonly text: string;
  readonly values: readonly string[];
}

/** As pg has it. */
interface Client extends EventEmitter {
  query(query: string | Prepared): Promise<unknown>;
}

/**
 * One connection of its own, which is replaced whenever it is lost: LISTEN belongs to a session, and a NOTIFY of its own, outside of
 * every transaction with rows, holds the lock that all of a server's NOTIFYs share for no longer than it must.
 */
export class PostgresWakeUpChannel implements WakeUpChannel {
  private readonly rest = new InterruptibleSleep();
  private readonly running: Promise<void>;
  private client: Client | undefined;
  private end: (error?: Error) => void = () => undefined;
  private isClosed = false;
  private pause = FIRST_PAUSE;

  constructor(
    private readonly connect: () => Promise<DataSource>,
    private readonly listener: WakeUpListener,
  ) {
    this.running = this.run();
  }

  async send(message: string): Promise<void> {
    const { client } = this;
    if (client === undefined) throw new Error('There is no connection to PostgreSQL');
    const values = [this.listener.topic, message];
    await ask(client, { name: 'wake up', text: 'SELECT pg_notify($1, $2)', values });
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.rest.wake();
    this.end();
    await Promise.race([this.running, pause(CLOSE_PATIENCE, undefined, { ref: false })]);
  }

  private async run(): Promise<void> {
    while (!this.isClosed) {
      await this.stay().catch((error: unknown) => {
        if (!this.isClosed) this.listener.lost(error);
      });
      // Not all at the same time: the others have lost theirs as well.
      if (!this.isClosed) await this.rest.sleep(this.pause * (0.5 + Math.random() / 2));
      this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
    }
  }

  /** Connects, and stays connected for as long as that lasts. */
  private async stay(): Promise<void> {
    const dataSource = await this.connect();
    try {
      const client = (await dataSource.createQueryRunner('master').connect()) as Client;
      const ended = new Promise<void>((resolve, reject) => {
        this.end = (error) => (error === undefined ? resolve() : reject(error));
        // Whatever it says, and however often: an error that nobody hears would end the process.
        client.on('error', reject);
        client.on('end', () => reject(new Error('PostgreSQL has closed the connection')));
      });
      ended.catch(() => undefined);
      await this.listen(client);
      await ended;
    } finally {
      this.client = undefined;
      await dataSource.destroy();
    }
  }

  private async listen(client: Client): Promise<void> {
    if (this.isClosed) return this.end();
    const { topic, listens } = this.listener;
    client.on('notification', ({ payload }: { payload?: string }) => this.listener.hear(payload ?? ''));
    if (listens) await ask(client, `LISTEN "${topic}"`);
    this.client = client;
    this.pause = FIRST_PAUSE;
    const pings = setInterval(() => void ask(client, 'SELECT 1').catch(this.end), PING_EVERY).unref();
    client.once('end', () => clearInterval(pings));
    this.listener.connected();
  }
}

/** A server that does not answer has no connection any more. */
function ask(client: Client, query: string | Prepared): Promise<unknown> {
  return answerWithin(DEADLINE, client, client.query(query));
}
