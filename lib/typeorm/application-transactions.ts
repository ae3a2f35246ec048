import { Injectable } from '@nestjs/common';
import pLimit from 'p-limit';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { UnsupportedDatabaseError } from '../errors/unsupported-database.error.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { ApplicationDataSource } from './application-data-source.js';
import { BUSY_RETRY } from './busy-retry.js';
import { retryRolledBack } from './retry-rolled-back.js';
import { tableNames } from './schema/tables.js';

/** Transactions on the application's own DataSource, made safe where its driver has a single connection. */
@Injectable()
export class ApplicationTransactions {
  private readonly oneAtATime = pLimit(1);

  constructor(
    private readonly application: ApplicationDataSource,
    private readonly options: ResolvedOptions,
  ) {}

  run<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    const dataSource = this.application.get();
    if (dataSource.options.type !== 'better-sqlite3') return dataSource.transaction(work);
    return this.oneAtATime(() => this.runOnSingleConnection(dataSource, work));
  }

  private async runOnSingleConnection<T>(
    dataSource: DataSource,
    work: (manager: EntityManager) => Promise<T>,
  ): Promise<T> {
    const runner = dataSource.createQueryRunner();
    // Only the taking of the lock is tried again: what the caller has done since may not be done twice.
    await retryRolledBack(BUSY_RETRY, () => this.begin(runner));
    try {
      const value = await work(runner.manager);
      await runner.commitTransaction();
      return value;
    } catch (error) {
      if (runner.isTransactionActive) await runner.rollbackTransaction();
      throw error;
    }
  }

  /** Takes the write lock at once: a transaction that began with a read could not get it later without starting over. */
  private async begin(runner: QueryRunner): Promise<void> {
    if (runner.isTransactionActive) {
      throw new UnsupportedDatabaseError(
        'a transaction that is open already',
        'SQLite has one connection, and jobQueue.transaction() cannot share it',
        'Write through jobQueue.transaction() everywhere, and do not nest it.',
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
