import { DataSource } from 'typeorm';
import { busyTimes } from '../orders/mail-server.js';

/** How far the show is. */
export interface Scene {
  readonly orders: number;
  readonly notifications: number;
  /** Jobs whose handler is known to have been called. */
  readonly running: number;
  /** Jobs that have not reached their final state. */
  readonly open: number;
}

/** The figures at the end. */
export interface Figures {
  readonly committed: number;
  readonly enqueued: number;
  readonly succeeded: number;
  readonly retried: number;
  /** As many as the mail server is meant to be busy. */
  readonly retriesDue: number;
  readonly recovered: number;
  readonly withoutOrder: number;
  readonly lost: number;
  readonly doneTwice: number;
}

const SCENE = `SELECT
  (SELECT COUNT(*) FROM shop_order) AS orders,
  (SELECT COUNT(*) FROM notification) AS notifications,
  (SELECT COUNT(*) FROM pq_job WHERE state = 'running' AND started_at > 0) AS running,
  (SELECT COUNT(*) FROM pq_job WHERE state IN ('scheduled', 'waiting', 'running')) AS open`;

const FIGURES = `SELECT
  (SELECT COUNT(*) FROM shop_order) AS committed,
  (SELECT COUNT(*) FROM pq_job) AS enqueued,
  (SELECT COUNT(*) FROM pq_job WHERE state = 'succeeded') AS succeeded,
  (SELECT COUNT(*) FROM pq_attempt WHERE outcome = 'retried') AS retried,
  (SELECT COUNT(*) FROM pq_job WHERE state = 'succeeded' AND id IN (SELECT job_id FROM pq_attempt WHERE outcome = 'crashed')) AS recovered,
  (SELECT COUNT(*) FROM pq_job WHERE payload ->> 'orderId' NOT IN (SELECT id FROM shop_order)) AS withoutOrder,
  (SELECT COUNT(*) FROM shop_order WHERE id NOT IN (SELECT orderId FROM notification)) AS lost,
  (SELECT COUNT(*) FROM (SELECT orderId FROM notification GROUP BY orderId HAVING COUNT(*) > 1)) AS doneTwice`;

/** The shop's database, looked at by a process that takes no part in the work. */
export class Database {
  private constructor(private readonly dataSource: DataSource) {}

  static async open(database: string): Promise<Database> {
    return new Database(await new DataSource({ type: 'better-sqlite3', database, readonly: true }).initialize());
  }

  async scene(): Promise<Scene> {
    return this.only<Scene>(SCENE);
  }

  async figures(): Promise<Figures> {
    const orders: { id: number }[] = await this.dataSource.query('SELECT id FROM shop_order');
    const retriesDue = orders.reduce((sum, { id }) => sum + busyTimes(id), 0);
    return { ...(await this.only<Omit<Figures, 'retriesDue'>>(FIGURES)), retriesDue };
  }

  close(): Promise<void> {
    return this.dataSource.destroy();
  }

  private async only<Row>(sql: string): Promise<Row> {
    const rows: Row[] = await this.dataSource.query(sql);
    return rows[0] as Row;
  }
}
