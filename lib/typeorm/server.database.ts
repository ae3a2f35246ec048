import pLimit, { type LimitFunction } from 'p-limit';
import type { DataSource, QueryRunner } from 'typeorm';
import { Database, type Lane } from './database.js';
import type { Dialect } from './dialects/dialect.js';
import { runOn } from './query-runner.executor.js';
import { retryRolledBack } from './retry-rolled-back.js';
import { drive, statement, type Result, type Script, type Statement } from './statement.js';

const RETRY = { patience: 10_000, longestWait: 100 };

/** A pool of our own on MariaDB, MySQL or PostgreSQL. */
export class ServerDatabase extends Database {
  private readonly lanes: Readonly<Record<Lane, LimitFunction>>;
  private readonly prepared = new WeakSet<object>();

  constructor(
    private readonly dataSource: DataSource,
    readonly dialect: Dialect,
    connections: number,
  ) {
    super();
    // However many statements queue up for work, one connection is always left for the heartbeat.
    this.lanes = { control: pLimit(1), work: pLimit(connections - 1) };
  }

  query(single: Statement, lane: Lane = 'work'): Promise<Result> {
    return this.withRunner(lane, (runner) => runOn(runner, this.dialect, single));
  }

  transaction<T>(script: () => Script<T>, lane: Lane = 'work'): Promise<T> {
    return this.withRunner(lane, async (runner) => {
      const execute = (step: Statement) => runOn(runner, this.dialect, step);
      await execute(statement('START TRANSACTION'));
      try {
        const value = await drive(script(), execute);
        await execute(statement('COMMIT'));
        return value;
      } catch (error) {
        // A connection that cannot even roll back is gone, and with it the transaction.
        await execute(statement('ROLLBACK')).catch(() => undefined);
        throw error;
      }
    });
  }

  close(): Promise<void> {
    return this.dataSource.destroy();
  }

  private withRunner<T>(lane: Lane, work: (runner: QueryRunner) => Promise<T>): Promise<T> {
    const policy = { ...RETRY, isRolledBack: this.dialect.isRolledBack };
    return this.lanes[lane](() => retryRolledBack(policy, () => this.onConnection(work)));
  }

  private async onConnection<T>(work: (runner: QueryRunner) => Promise<T>): Promise<T> {
    const runner = this.dataSource.createQueryRunner('master');
    try {
      await this.prepare(runner);
      return await work(runner);
    } finally {
      await runner.release();
    }
  }

  private async prepare(runner: QueryRunner): Promise<void> {
    const connection = (await runner.connect()) as object;
    if (this.prepared.has(connection)) return;
    for (const sql of this.dialect.sessionSetup) await runOn(runner, this.dialect, statement(sql));
    this.prepared.add(connection);
  }
}
