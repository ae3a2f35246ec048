import type { EventEmitter } from 'node:events';
import pLimit, { type LimitFunction } from 'p-limit';
import type { DataSource, QueryRunner } from 'typeorm';
import { answerWithin, breakConnection } from './connection-deadline.js';
import { Database, type Lane, type RunOptions, type TransactionOptions } from './database.js';
import { isOverloaded, type Dialect } from './dialects/dialect.js';
import { runPrepared } from './prepared-statement.js';
import { runOn } from './query-runner.executor.js';
import { retryRolledBack, type Retry } from './retry-rolled-back.js';
import { drive, statement, type Result, type Script, type Statement } from './statement.js';

/** For how long to try again, in milliseconds. */
const PATIENCE = 10_000;
/** Also for those whose turn came late: two transactions may meet at any time. */
const LEAST_PATIENCE = 20;

/** How long a statement may take before its connection is given up, in milliseconds: a heartbeat must not wait for the network. */
const DEADLINES: Readonly<Record<Lane, number>> = { control: 5_000, work: 15_000 };

/** A connection that has not been used for so many milliseconds may be broken. */
const STALE_AFTER = 3_000;

interface Connected {
  readonly runner: QueryRunner;
  readonly connection: object;
}

/** A pool of our own on MariaDB, MySQL or PostgreSQL. */
export class ServerDatabase extends Database {
  private readonly lanes: Readonly<Record<Lane, LimitFunction>>;
  private readonly prepared = new WeakSet<object>();
  private readonly usedAt = new WeakMap<object, number>();

  constructor(
    private readonly dataSource: DataSource,
    readonly dialect: Dialect,
    private readonly connections: number,
    private readonly onRetry?: (retry: Retry) => void,
  ) {
    super();
    // However many statements queue up for work, one connection is always left for the heartbeat.
    this.lanes = { control: pLimit(1), work: pLimit(Math.max(1, connections - 1)) };
  }

  query(single: Statement, lane: Lane = 'work'): Promise<Result> {
    // All idle connections may have broken together, and who only reads may ask again; but not for as long as the server is away.
    let spare = single.sql.startsWith('SELECT') ? this.connections : 0;
    const mayRetry = (error: unknown) =>
      this.hasChangedNothing(error) || (this.dialect.isConnectionLost(error) && spare-- > 0);
    return this.withConnection(lane, mayRetry, PATIENCE, (execute) => execute(single));
  }

  run<T>(script: () => Script<T>, { lane = 'work', patience = PATIENCE, once = false }: RunOptions = {}): Promise<T> {
    let sent = false;
    const mayRetry = (error: unknown) =>
      this.hasChangedNothing(error) || (once && !sent && this.dialect.isConnectionLost(error));
    return this.withConnection(lane, mayRetry, patience, async (execute, _, idle) => {
      sent = false;
      // Nobody may have noticed that it is broken, and of what is sent over it nobody could say whether it was carried out.
      if (once && idle > STALE_AFTER) await execute(statement('SELECT 1'));
      sent = true;
      return drive(script(), execute);
    });
  }

  transaction<T>(script: () => Script<T>, { lane = 'work', patience = PATIENCE }: TransactionOptions = {}): Promise<T> {
    let committing = false;
    // What breaks before the COMMIT was sent has not happened; afterwards nobody knows.
    const mayRetry = (error: unknown) =>
      this.hasChangedNothing(error) || (!committing && this.dialect.isConnectionLost(error));
    return this.withConnection(lane, mayRetry, patience, async (execute, giveUp) => {
      committing = false;
      await execute(statement('START TRANSACTION'));
      try {
        const value = await drive(script(), execute);
        committing = true;
        await execute(statement('COMMIT'));
        return value;
      } catch (error) {
        // A connection that cannot even roll back may be inside the transaction still: nobody else must get it.
        if (this.dialect.isConnectionLost(error)) giveUp();
        else await execute(statement('ROLLBACK')).catch(giveUp);
        throw error;
      }
    });
  }

  close(): Promise<void> {
    return this.dataSource.destroy();
  }

  private hasChangedNothing(error: unknown): boolean {
    const { isRolledBack, isLockTimeout, isReadOnly } = this.dialect;
    return isRolledBack(error) || isLockTimeout(error) || isReadOnly(error);
  }

  private withConnection<T>(
    lane: Lane,
    isRolledBack: (error: unknown) => boolean,
    patience: number,
    work: (execute: (step: Statement) => Promise<Result>, giveUp: () => void, idle: number) => Promise<T>,
  ): Promise<T> {
    // From the call, and not from when its turn comes: in an outage whoever waits behind others would wait for all of them.
    const giveUpAt = performance.now() + patience;
    const left = () => Math.max(Math.min(patience, LEAST_PATIENCE), giveUpAt - performance.now());
    const attempt = async () => {
      const { runner, connection } = await this.connect(lane, left());
      try {
        const execute = (step: Statement) =>
          answerWithin(DEADLINES[lane], connection, this.execute(runner, connection, step));
        const giveUp = () => breakConnection(connection, 'it could not be rolled back');
        return await work(execute, giveUp, performance.now() - (this.usedAt.get(connection) ?? 0));
      } catch (error) {
        // After a failover the old primary may only be read, for as long as we stay with it.
        if (this.dialect.isReadOnly(error)) breakConnection(connection, 'its server may only be read');
        throw error;
      } finally {
        this.usedAt.set(connection, performance.now());
        await runner.release();
      }
    };
    return this.lanes[lane](() =>
      retryRolledBack({ isRolledBack, patience: left(), longestWait: 100, onRetry: this.onRetry }, attempt),
    );
  }

  private execute(runner: QueryRunner, connection: object, step: Statement): Promise<Result> {
    const { name } = step;
    if (name === undefined || !this.dialect.preparesByName) return runOn(runner, this.dialect, step);
    return runPrepared(connection, this.dialect, { ...step, name });
  }

  /** While the server has no connection for us, it is asked less and less often: everybody else asks too. */
  private connect(lane: Lane, patience: number): Promise<Connected> {
    const policy = { isRolledBack: isOverloaded, patience, longestWait: 1_000, onRetry: this.onRetry };
    return retryRolledBack(policy, async () => {
      const runner = this.dataSource.createQueryRunner('master');
      try {
        return { runner, connection: await this.prepare(runner, lane) };
      } catch (error) {
        await runner.release();
        throw error;
      }
    });
  }

  private async prepare(runner: QueryRunner, lane: Lane): Promise<object> {
    const connection = (await runner.connect()) as EventEmitter;
    if (this.prepared.has(connection)) return connection;
    // Whoever waits for its answer is told. What nobody waits for, as a server's goodbye before we break it, would end this process.
    connection.on('error', () => undefined);
    for (const sql of this.dialect.sessionSetup)
      await answerWithin(DEADLINES[lane], connection, runOn(runner, this.dialect, statement(sql)));
    this.prepared.add(connection);
    return connection;
  }
}
