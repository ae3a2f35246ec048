import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import pLimit from 'p-limit';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { NestedTransactionError } from '../errors/nested-transaction.error.js';
import { TransactionUnusableError } from '../errors/transaction-unusable.error.js';
import { UnsupportedDatabaseError } from '../errors/unsupported-database.error.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import type { JobManager } from '../repository/job-repository.js';
import { AmbientManagers } from './ambient/ambient-managers.js';
import { SpoiledTransactions } from './ambient/spoiled-transactions.js';
import { ApplicationDataSource } from './application-data-source.js';
import { BUSY_RETRY } from './busy-retry.js';
import { breakConnection } from './connection-deadline.js';
import { retryRolledBack } from './retry-rolled-back.js';
import { tableNames } from './schema/tables.js';

interface Ambient {
  readonly manager: EntityManager;
  /** What the application's own library had open when this began: something else is newer, and inside of this. */
  readonly around: EntityManager | undefined;
  /** What runs on after the end, such as a timer, still carries this object: it must not write into whatever comes next. */
  isOpen: boolean;
  /** The first error inside: then nothing is committed, even when somebody catches it. */
  failure?: { readonly error: unknown };
}

type Work<T> = (manager: EntityManager) => Promise<T>;

/** Transactions on the application's own DataSource, made safe where its driver has a single connection. */
@Injectable()
export class ApplicationTransactions {
  private readonly oneAtATime = pLimit(1);
  private readonly ambient = new AsyncLocalStorage<Ambient>();
  private readonly spoiled = new SpoiledTransactions();

  constructor(
    private readonly application: ApplicationDataSource,
    private readonly options: ResolvedOptions,
    private readonly libraries: AmbientManagers,
  ) {}

  /** The manager of the innermost transaction that the calling code is inside of, ours or one of the application's libraries. */
  get current(): EntityManager | undefined {
    const own = this.open;
    const other = this.libraries.current;
    return own !== undefined && own.around === other ? own.manager : other;
  }

  /**
   * Runs what a call writes in the transaction that it belongs to: `given` with it, or that which the calling code is inside of; `null`:
   * none. A statement of a transaction that has failed may have undone all before it: the whole of it must not be committed.
   */
  async inCallers<T>(
    given: JobManager | null | undefined,
    write: (manager: JobManager | undefined) => Promise<T>,
  ): Promise<T> {
    const manager = given === undefined ? this.current : (given ?? undefined);
    try {
      return await write(manager);
    } catch (error) {
      if (manager !== undefined && manager === this.current) this.spoil(error);
      throw error;
    }
  }

  /** Something inside the current transaction has failed: it will not be committed. */
  spoil(error: unknown): void {
    const { open: own, libraries } = this;
    const other = libraries.current;
    if (own !== undefined && own.around === other) own.failure ??= { error };
    else if (other?.queryRunner !== undefined) this.spoiled.add(other.queryRunner, error);
  }

  /** A transaction inside another one is part of it. */
  run<T>(work: Work<T>): Promise<T> {
    const outer = this.current;
    return outer === undefined ? this.begin(work) : this.join(outer, work);
  }

  /** A transaction of its own: when this resolves, it is committed. */
  async begin<T>(work: Work<T>): Promise<T> {
    if (this.current !== undefined) throw new NestedTransactionError();
    const around = this.libraries.current;
    return this.openFor((manager) => this.runInside({ manager, around, isOpen: true }, work));
  }

  /**
   * Reads outside of any transaction: of somebody else's too, where all share one connection. Never from a replica. `wait` may give up
   * waiting for the answer; a connection is given back only when `work` has ended.
   */
  async read<T>(work: Work<T>, wait: (answer: Promise<T>) => Promise<T> = (answer) => answer): Promise<T> {
    const dataSource = this.application.get();
    if (dataSource.options.type === 'better-sqlite3') return this.oneAtATime(() => wait(work(dataSource.manager)));
    const runner = dataSource.createQueryRunner('master');
    return wait(releasing(runner, work));
  }

  /** What is done on a connection is over, whatever still goes on. Where all share one connection, nothing can be done about it. */
  abandon(runner: QueryRunner | undefined): void {
    if (runner === undefined || runner.connection.options.type === 'better-sqlite3') return;
    void runner
      .connect()
      .then((connection: object) => breakConnection(connection, 'what was done on it has taken too long'));
  }

  /** Until then every asynchronous call of the whole process carries our storage with it: many short-lived applications would slow it down. */
  close(): void {
    this.ambient.disable();
  }

  /** Commits when `work` has resolved, and rolls back when it has not. */
  protected openFor<T>(work: Work<T>): Promise<T> {
    const dataSource = this.application.get();
    if (dataSource.options.type !== 'better-sqlite3') return dataSource.transaction(work);
    return this.oneAtATime(() => this.runOnSingleConnection(dataSource, work));
  }

  private get open(): Ambient | undefined {
    const ambient = this.ambient.getStore();
    return ambient?.isOpen ? ambient : undefined;
  }

  private async join<T>(outer: EntityManager, work: Work<T>): Promise<T> {
    try {
      return await work(outer);
    } catch (error) {
      this.spoil(error);
      throw error;
    }
  }

  private async runInside<T>(ambient: Ambient, work: Work<T>): Promise<T> {
    try {
      const value = await this.ambient.run(ambient, () => work(ambient.manager));
      if (ambient.failure !== undefined) throw new TransactionUnusableError(ambient.failure.error);
      return value;
    } finally {
      ambient.isOpen = false;
    }
  }

  private async runOnSingleConnection<T>(dataSource: DataSource, work: Work<T>): Promise<T> {
    const runner = dataSource.createQueryRunner();
    // Only the taking of the lock is tried again: what the caller has done since may not be done twice.
    await retryRolledBack(BUSY_RETRY, () => this.takeWriteLock(runner));
    try {
      const value = await work(runner.manager);
      await runner.commitTransaction();
      return value;
    } catch (error) {
      if (runner.isTransactionActive) await runner.rollbackTransaction();
      throw error;
    }
  }

  /** At once: a transaction that began with a read could not get it later without starting over. */
  private async takeWriteLock(runner: QueryRunner): Promise<void> {
    if (runner.isTransactionActive) {
      throw new UnsupportedDatabaseError(
        'a transaction that is open already',
        'SQLite has one connection, and jobQueue.transaction() cannot share it',
        'Write through jobQueue.transaction() everywhere.',
      );
    }
    await runner.startTransaction();
    try {
      await runner.query(`UPDATE ${tableNames(this.options.tablePrefix).schema} SET version = version WHERE 1 = 0`);
    } catch (error) {
      await runner.rollbackTransaction();
      throw error;
    }
  }
}

async function releasing<T>(runner: QueryRunner, work: Work<T>): Promise<T> {
  try {
    return await work(runner.manager);
  } finally {
    await runner.release();
  }
}
