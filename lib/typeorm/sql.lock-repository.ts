import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { LockRepository, type HeldLock, type LockAnswer, type LockRequest } from '../lock/lock-repository.js';
import { ApplicationDataSource } from './application-data-source.js';
import { ApplicationTransactions } from './application-transactions.js';
import { QueueConnection } from './queue-connection.js';
import { refuseInside } from './refuse-inside.js';
import { RowHolder } from './row-holder.js';
import { holdLock, releaseLock, renewLock, takeLock } from './statements/locks.js';

/** Locks in a table of ours. */
@Injectable()
export class SqlLockRepository extends LockRepository {
  private readonly holder: RowHolder;

  constructor(
    application: ApplicationDataSource,
    private readonly connection: QueueConnection,
    private readonly transactions: ApplicationTransactions,
  ) {
    super();
    this.holder = new RowHolder(application);
  }

  async take(request: LockRequest): Promise<LockAnswer> {
    const { database, tables } = await this.connection.get();
    refuseInside(this.transactions, database, request.name);
    return database.run(() => takeLock(tables, request));
  }

  async renew(lock: HeldLock, duration: number): Promise<boolean> {
    const { database, tables } = await this.connection.get();
    const { affected } = await database.query(renewLock(tables, lock, duration), 'control');
    return affected === 1;
  }

  async holdIn(manager: EntityManager, lock: HeldLock): Promise<boolean> {
    const connected = await this.connection.get();
    return this.holder.hold(manager, connected, () => holdLock(connected.tables, lock));
  }

  async release(lock: HeldLock, atLeast: number): Promise<void> {
    const { database, tables } = await this.connection.get();
    await database.query(releaseLock(tables, lock, atLeast));
  }
}
