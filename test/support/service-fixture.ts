import type { PersistentQueueOptions } from '../../lib/options/module-options.js';
import type { TestDatabase, TestSchema } from './databases.js';
import { QueueFixture } from './queue-fixture.js';
import { waitUntil } from './wait-until.js';
import { WorkerProcess, type WorkerExtras } from './worker-process.js';

/** A service on a fresh database: what the test asks it with, and the processes that work for it. */
export class ServiceFixture {
  readonly workers: WorkerProcess[] = [];

  private constructor(
    private readonly schema: TestSchema,
    private readonly fixture: QueueFixture,
    private readonly options: PersistentQueueOptions,
    private readonly extras: WorkerExtras,
  ) {}

  /** `options` and `extras` are those of every process. */
  static async create(
    database: TestDatabase,
    options: PersistentQueueOptions = {},
    extras: WorkerExtras = {},
  ): Promise<ServiceFixture> {
    const schema = await database.create();
    const dataSource = await schema.connect();
    await dataSource.query('CREATE TABLE ledger (job_id BIGINT NOT NULL, pid BIGINT NOT NULL)');
    const fixture = new QueueFixture(dataSource, options);
    await fixture.repository.open();
    return new ServiceFixture(schema, fixture, options, extras);
  }

  get queue() {
    return this.fixture.queue;
  }

  get dataSource() {
    return this.fixture.dataSource;
  }

  get sql() {
    return this.fixture.sql;
  }

  get schedules() {
    return this.fixture.schedules;
  }

  async startWorker(options: PersistentQueueOptions = {}): Promise<WorkerProcess> {
    const worker = await WorkerProcess.start(this.schema.options, { ...this.options, ...options }, this.extras);
    this.workers.push(worker);
    return worker;
  }

  /** One that may die at any moment. */
  launchWorker(): WorkerProcess {
    const worker = WorkerProcess.launch(this.schema.options, this.options, this.extras);
    this.workers.push(worker);
    return worker;
  }

  /** Enqueues a job and waits until `worker` runs it, the only one that can. */
  async begin(worker: WorkerProcess, type: string, ms: number): Promise<string> {
    const { id } = await this.queue.enqueue(type, { ms });
    await waitUntil(() => worker.started.includes(id), { describe: `job ${id} of type ${type} to start` });
    return id;
  }

  /** From now on the job takes a moment, whoever starts it. */
  async shorten(id: string): Promise<void> {
    await this.sql(`UPDATE pq_job SET payload = '{"ms":1}' WHERE id = ?`, [Number(id)]);
  }

  async succeeded(id: string, timeout: number): Promise<void> {
    await waitUntil(async () => (await this.queue.get(id))?.state === 'succeeded', {
      timeout,
      describe: `job ${id} to succeed`,
    });
  }

  async mayRescue(worker: WorkerProcess): Promise<void> {
    await waitUntil(() => graceIsOver(this.fixture, worker), {
      timeout: 40_000,
      describe: `process ${worker.pid} to be allowed to rescue`,
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.kill()));
    await this.fixture.close();
    await this.schema.drop();
  }
}

/** A node may rescue when it has beaten for one full lease: its row tells for how long it has. */
export async function graceIsOver({ sql, service }: QueueFixture, { pid }: WorkerProcess): Promise<boolean> {
  const [row] = await sql<{ beaten: string; lease: string }>(
    'SELECT beat_at - registered_at AS beaten, expires_at - beat_at AS lease FROM pq_node WHERE service = ? AND name LIKE ?',
    [service, `%:${pid}`],
  );
  return row !== undefined && Number(row.beaten) > Number(row.lease);
}
