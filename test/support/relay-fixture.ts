import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { PATTERN } from '../processes/broker-options.js';
import type { ConsumerMessage, ConsumerSettings } from '../processes/consumer.js';
import type { SenderMessage, SenderSettings } from '../processes/sender.js';
import type { TestDatabase, TestSchema } from './databases.js';
import { QueueFixture } from './queue-fixture.js';
import { deferred } from './wait-until.js';

type Message = SenderMessage | ConsumerMessage;

const FOLDER = join(process.cwd(), '.cache/processes');

/** How often what was done: of the rows that the processes have left in the database. */
export interface RelayFigures {
  /** By state. */
  readonly jobs: Record<string, number>;
  /** Handlers that have returned, be it after a timeout of the one before. */
  readonly deliveries: number;
  /** Attempts to send that have failed. */
  readonly refused: number;
  /** Messages whose effect is in the ledger. */
  readonly effects: number;
  /** Jobs of which there is such a message. */
  readonly jobsWithEffect: number;
}

/** An application that relays its jobs to a broker, and another one that consumes them, on one database. */
export class RelayFixture {
  /** Messages that the broker has taken. */
  sent = 0;
  /** Messages that the consumers have handled. */
  handled = 0;
  /** Of these, those that came for a job which had ended, or had been delivered again. */
  late = 0;
  private readonly children = new Set<ChildProcess>();
  private died: string | undefined;

  private constructor(
    private readonly schema: TestSchema,
    private readonly fixture: QueueFixture,
    private readonly broker: string,
    private readonly ackTimeout: number,
  ) {}

  static async create(database: TestDatabase, broker: string, ackTimeout: number): Promise<RelayFixture> {
    const schema = await database.create();
    const dataSource = await schema.connect();
    await dataSource.query(
      'CREATE TABLE parcel (job_id BIGINT NOT NULL, delivery BIGINT NOT NULL, pid BIGINT NOT NULL)',
    );
    const fixture = new QueueFixture(dataSource, {});
    await fixture.repository.open();
    return new RelayFixture(schema, fixture, broker, ackTimeout);
  }

  async enqueue(count: number): Promise<void> {
    await this.fixture.queue.enqueueMany(
      PATTERN,
      Array.from({ length: count }, (_, n) => ({ payload: { parcel: n } })),
    );
  }

  async startSender(): Promise<void> {
    const settings: SenderSettings = {
      database: this.schema.options,
      broker: this.broker,
      ackTimeout: this.ackTimeout,
    };
    await this.start('sender.js', settings, (message) => {
      if ('sent' in message) this.sent++;
    });
  }

  /** Answers how to kill it, with `kill -9`. */
  async startConsumer(): Promise<() => Promise<void>> {
    const settings: ConsumerSettings = { database: this.schema.options, broker: this.broker };
    const child = await this.start('consumer.js', settings, (message) => {
      if (!('handled' in message)) return;
      this.handled++;
      if (!message.accepted) this.late++;
    });
    return () => this.kill(child);
  }

  /** Throws when a process has ended that nobody has killed: nothing more will come from it. */
  mustLive(): true {
    if (this.died === undefined) return true;
    throw new Error(this.died);
  }

  async openJobs(): Promise<number> {
    const counts = await this.fixture.queue.counts();
    const open = counts.filter(({ state }) => !['succeeded', 'failed', 'cancelled'].includes(state));
    return open.reduce((sum, { count }) => sum + count, 0);
  }

  async figures(): Promise<RelayFigures> {
    const { sql, queue } = this.fixture;
    const counts = await queue.counts();
    const attempts = await sql<{ outcome: string; count: unknown }>(
      'SELECT outcome, COUNT(*) AS count FROM pq_attempt GROUP BY outcome',
    );
    const [parcels] = await sql<{ effects: unknown; jobs: unknown }>(
      'SELECT COUNT(*) AS effects, COUNT(DISTINCT job_id) AS jobs FROM parcel',
    );
    const ended = (...outcomes: string[]) =>
      attempts.filter(({ outcome }) => outcomes.includes(outcome)).reduce((sum, { count }) => sum + Number(count), 0);
    return {
      jobs: Object.fromEntries(counts.map(({ state, count }) => [state, count])),
      deliveries: ended('delivered', 'succeeded', 'failed'),
      refused: ended('retried'),
      effects: Number(parcels?.effects),
      jobsWithEffect: Number(parcels?.jobs),
    };
  }

  /** How many jobs were delivered how often: `[deliveries, jobs]`, fewest deliveries first. */
  async deliveriesPerJob(): Promise<[number, number][]> {
    const rows = await this.fixture.sql<{ deliveries: unknown; jobs: unknown }>(
      'SELECT deliveries, COUNT(*) AS jobs FROM (SELECT COUNT(*) AS deliveries FROM pq_attempt ' +
        "WHERE outcome IN ('delivered', 'succeeded', 'failed') GROUP BY job_id) AS each_job GROUP BY deliveries ORDER BY deliveries",
    );
    return rows.map(({ deliveries, jobs }) => [Number(deliveries), Number(jobs)]);
  }

  async close(): Promise<void> {
    await Promise.all([...this.children].map((child) => this.kill(child)));
    await this.fixture.close();
    await this.schema.drop();
  }

  private async start(script: string, settings: object, hear: (message: Message) => void): Promise<ChildProcess> {
    const ready = deferred();
    const child = fork(join(FOLDER, script), [JSON.stringify(settings)], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.children.add(child);
    child.on('message', (message: Message) => {
      if ('ready' in message) ready.resolve();
      else hear(message);
    });
    child.once('exit', (code, signal) => {
      if (this.children.delete(child)) this.died = `${script} has ended with ${code ?? signal}`;
      ready.reject(new Error(`${script} has ended before it was ready`));
    });
    await ready.promise;
    return child;
  }

  private async kill(child: ChildProcess): Promise<void> {
    if (!this.children.delete(child)) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
}
