import { setTimeout as pause } from 'node:timers/promises';
import type { OwnTablePayload } from '../processes/own-table-jobs.js';
import { asyncJobTable } from './async-job-table.js';
import type { TestDatabase } from './databases.js';
import { ledgerTables } from './own-table-ledger.js';
import { ServiceFixture } from './service-fixture.js';
import { waitUntil } from './wait-until.js';
import type { WorkerProcess } from './worker-process.js';

/** A start of a handler, as it has written it down itself. */
export interface Begun {
  id: number;
  fence: number;
  pid: number;
  at: number;
}

/** What a trigger has seen, in the order of the lock's transactions: an update of a row of the table, or a new holder of the lock. */
export interface Entry {
  what: 'led' | 'ended';
  id: number;
  status: number;
  /** The lock's, in that moment. */
  fence: number;
  /** That under which the writer believed to write. */
  claimed: number;
  pid: number;
  at: number;
}

export interface OwnRow {
  id: number;
  payload: OwnTablePayload;
  status: number;
  /** Seconds. */
  start: number;
}

/** The application's own table, processes that work on its rows, and a ledger of what they do. */
export class OwnTableFixture {
  private constructor(
    private readonly database: TestDatabase,
    readonly service: ServiceFixture,
  ) {}

  static async create(database: TestDatabase, atMost: number): Promise<OwnTableFixture> {
    const options = { poll: { max: '200ms' }, shutdownTimeout: '5s' };
    const service = await ServiceFixture.create(database, options, { ownTable: { atMost } });
    const type = database.name === 'sqlite' ? 'better-sqlite3' : database.name;
    for (const sql of [asyncJobTable(type), ...ledgerTables(database.name)]) await service.sql(sql);
    return new OwnTableFixture(database, service);
  }

  /** As the seed documents: the status is 0, and the start time a second of the clock, or 0 for now. */
  async insert(rows: readonly { payload: OwnTablePayload; delay?: number }[]): Promise<void> {
    const now = Math.floor(Date.now() / 1_000);
    const values = rows.map(({ payload, delay }) => {
      const start = delay === undefined ? 0 : now + delay;
      return `('${JSON.stringify(payload)}', 1, 0, ${start}, ${now}, ${now})`;
    });
    await this.service.sql(
      `INSERT INTO async_job_tab (params, job_type, job_status, start_time, create_time, update_time) VALUES ${values.join(', ')}`,
    );
  }

  async rows(): Promise<OwnRow[]> {
    const rows = await this.service.sql('SELECT id, params, job_status, start_time FROM async_job_tab ORDER BY id');
    return rows.map(({ id, params, job_status: status, start_time: start }) => ({
      id: Number(id),
      payload: JSON.parse(String(params)) as OwnTablePayload,
      status: Number(status),
      start: Number(start),
    }));
  }

  async begun(): Promise<Begun[]> {
    const rows = await this.service.sql('SELECT row_id, fence, pid, at FROM begun ORDER BY at');
    return rows.map(({ row_id: id, fence, pid, at }) => ({
      id: Number(id),
      fence: Number(fence),
      pid: Number(pid),
      at: Number(at),
    }));
  }

  async entries(): Promise<Entry[]> {
    const rows = await this.service.sql('SELECT * FROM entry ORDER BY seq');
    return rows.map(({ what, row_id: id, status, fence, claimed, owner, at }) => ({
      what: what as Entry['what'],
      id: Number(id),
      status: Number(status),
      fence: Number(fence),
      claimed: Number(claimed),
      pid: Number(String(owner).split(':').at(-1)),
      at: Number(at),
    }));
  }

  /** Waits until a process leads under a newer fence, and has written the ends of so many rows under it; answers its first entry. */
  async hasLed(newerThan: number, ends: number): Promise<Entry> {
    const fence = await waitUntil(
      async () => {
        const newest = await this.number("SELECT MAX(fence) FROM entry WHERE what = 'led'");
        return newest > newerThan && (await this.endsUnder(newest)) >= ends ? newest : undefined;
      },
      { timeout: 30_000, describe: `a leader after fence ${newerThan} that writes` },
    );
    const led = (await this.entries()).find((entry) => entry.what === 'led' && entry.fence === fence);
    return led as Entry;
  }

  async isDone(): Promise<boolean> {
    return (await this.number('SELECT COUNT(*) FROM async_job_tab WHERE job_status = 0')) === 0;
  }

  worker(pid: number): WorkerProcess {
    const worker = this.service.workers.find((one) => one.pid === pid);
    if (worker === undefined) throw new Error(`No worker has the pid ${pid}.`);
    return worker;
  }

  /** Not in the middle of a transaction on the lock: nobody else could have it before that goes on. */
  async freeze(worker: WorkerProcess): Promise<void> {
    for (;;) {
      worker.freeze();
      // What was on its way to the database has arrived.
      await pause(50);
      if (await this.isLockRowFree()) return;
      worker.thaw();
      await pause(20);
    }
  }

  close(): Promise<void> {
    return this.service.close();
  }

  private endsUnder(fence: number): Promise<number> {
    return this.number(`SELECT COUNT(*) FROM entry WHERE what = 'ended' AND fence = ${fence}`);
  }

  private async number(sql: string): Promise<number> {
    const [row] = await this.service.sql(sql);
    return Number(Object.values(row ?? {})[0]);
  }

  /** SQLite's lock is that of the whole file: others have it too, for moments. */
  private async isLockRowFree(): Promise<boolean> {
    const isSqlite = this.database.name === 'sqlite';
    const sql = isSqlite
      ? 'UPDATE pq_lock SET fence = fence WHERE 1 = 0'
      : 'SELECT fence FROM pq_lock FOR UPDATE NOWAIT';
    for (let tries = 0; tries < (isSqlite ? 20 : 1); tries++) {
      try {
        await this.service.dataSource.query(sql);
        return true;
      } catch {
        await pause(5);
      }
    }
    return false;
  }
}
