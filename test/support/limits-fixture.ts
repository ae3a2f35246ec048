import type { LimitedSettings, TenantPayload } from '../processes/limited.js';
import type { PersistentQueueOptions } from '../../lib/options/module-options.js';
import type { TestDatabase, TestSchema } from './databases.js';
import type { LeaseEntry } from './lease-history.js';
import { leaseLedger, tenantOf } from './lease-ledger.js';
import { LimitedProcess } from './limited-process.js';
import { QueueFixture } from './queue-fixture.js';
import { waitUntil } from './wait-until.js';

export type LimitedType = 'keyed' | 'free';

/** Rows of one INSERT. */
const BATCH = 500;

/** Jobs of tenants, the processes that run them, and a ledger of every lease. */
export class LimitsFixture {
  readonly processes: LimitedProcess[] = [];
  /** Of one tenant, by looking again and again at the rows that are running on nodes that are not dead. */
  mostSampled = 0;
  samples = 0;

  private constructor(
    private readonly database: TestDatabase,
    private readonly schema: TestSchema,
    private readonly fixture: QueueFixture,
    private readonly settings: Pick<LimitedSettings, 'queue' | 'limit' | 'ledger'>,
  ) {}

  static async create(
    database: TestDatabase,
    settings: Pick<LimitedSettings, 'queue' | 'limit' | 'ledger'>,
  ): Promise<LimitsFixture> {
    const schema = await database.create();
    const from = ({ tenant }: TenantPayload) => tenant;
    const producer: PersistentQueueOptions = {
      handlers: { keyed: { concurrencyKey: { from, limit: settings.limit } } },
    };
    const fixture = new QueueFixture(await schema.connect(), producer);
    await fixture.repository.open();
    if (settings.ledger) for (const sql of leaseLedger(database.name)) await fixture.sql(sql);
    return new LimitsFixture(database, schema, fixture, settings);
  }

  get queue() {
    return this.fixture.queue;
  }

  get sql() {
    return this.fixture.sql;
  }

  launch(): LimitedProcess {
    const one = new LimitedProcess({ database: this.schema.options, ...this.settings });
    this.processes.push(one);
    return one;
  }

  async start(count: number): Promise<void> {
    const started = Array.from({ length: count }, () => this.launch());
    await waitUntil(() => started.every(({ isReady }) => isReady), {
      timeout: 60_000,
      describe: 'the processes to start',
    });
    if (this.settings.ledger) await this.sql("INSERT INTO entry (what) VALUES ('ready')");
  }

  /** Through the queue, which writes their keys. */
  async enqueue(type: LimitedType, payloads: readonly TenantPayload[]): Promise<void> {
    for (let at = 0; at < payloads.length; at += BATCH)
      await this.queue.enqueueMany(
        type,
        payloads.slice(at, at + BATCH).map((payload) => ({ payload })),
      );
  }

  /** As plain SQL does, which knows nothing of keys. */
  async insert(type: LimitedType, payloads: readonly TenantPayload[]): Promise<void> {
    for (let at = 0; at < payloads.length; at += BATCH) {
      const rows = payloads
        .slice(at, at + BATCH)
        .map((payload) => `('default', '${type}', '${JSON.stringify(payload)}')`);
      await this.sql(`INSERT INTO pq_job (service, type, payload) VALUES ${rows.join(', ')}`);
    }
  }

  /** Jobs of each tenant that wait. */
  async waiting(): Promise<ReadonlyMap<string, number>> {
    const rows = await this.sql<{ tenant: string; count: unknown }>(
      `SELECT ${tenantOf(this.database.name)} AS tenant, COUNT(*) AS count FROM pq_job j WHERE j.state IN ('waiting', 'scheduled') GROUP BY 1`,
    );
    return new Map(rows.map(({ tenant, count }) => [tenant, Number(count)]));
  }

  async isDone(): Promise<boolean> {
    const open = await this.sql("SELECT id FROM pq_job WHERE state IN ('waiting', 'scheduled', 'running') LIMIT 1");
    return open.length === 0;
  }

  async sample(): Promise<void> {
    const [row] = await this.sql<{ most: unknown }>(
      `SELECT MAX(count) AS most FROM (SELECT COUNT(*) AS count FROM pq_job j JOIN pq_node n ON n.id = j.node_id ` +
        `WHERE j.state = 'running' AND j.type = 'keyed' AND n.state = 'alive' GROUP BY ${tenantOf(this.database.name)}) tenants`,
    );
    this.samples++;
    this.mostSampled = Math.max(this.mostSampled, Number(row?.most ?? 0));
  }

  /** `kill -9`, noted in the ledger when the process is gone. */
  async kill(victim: LimitedProcess): Promise<void> {
    await victim.kill();
    await this.sql(`INSERT INTO entry (what, pid) VALUES ('killed', ${victim.pid})`);
  }

  async entries(): Promise<LeaseEntry[]> {
    const rows = await this.sql('SELECT what, job_id, fence, tenant, state, pid, at FROM entry ORDER BY seq');
    return rows.map(({ what, job_id: job, fence, tenant, state, pid, at }) => ({
      what: what as LeaseEntry['what'],
      job: Number(job),
      fence: Number(fence),
      tenant: typeof tenant === 'string' ? tenant : '',
      state: String(state),
      pid: Number(pid),
      at: Number(at),
    }));
  }

  /** Jobs per second of those that are enqueued while their type is paused: from the first start to the last end, by the database's clock. */
  async drain(type: LimitedType, payloads: readonly TenantPayload[]): Promise<number> {
    await this.queue.pause(type);
    const [last] = await this.sql<{ id: unknown }>('SELECT COALESCE(MAX(id), 0) AS id FROM pq_job');
    await this.enqueue(type, payloads);
    await this.queue.resume(type);
    await waitUntil(() => this.isDone(), { timeout: 120_000, describe: `${payloads.length} jobs of '${type}' to end` });
    const [row] = await this.sql<{ count: unknown; took: unknown }>(
      'SELECT COUNT(*) AS count, MAX(ended_at) - MIN(started_at) AS took FROM pq_attempt WHERE job_id > ?',
      [Number(last?.id)],
    );
    if (Number(row?.count) !== payloads.length)
      throw new Error(`${payloads.length} jobs left ${String(row?.count)} attempts`);
    return (1_000 * payloads.length) / Number(row?.took);
  }

  async close(): Promise<void> {
    await Promise.all(this.processes.map((one) => one.kill()));
    await this.fixture.close();
    await this.schema.drop();
  }
}
