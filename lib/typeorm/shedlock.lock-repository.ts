import { InvalidLockError } from '../errors/invalid-lock.error.js';
import type { EntityManager } from 'typeorm';
import { nameFault } from '../job/job-type.js';
import { LockRepository, type HeldLock, type LockAnswer, type LockRequest } from '../lock/lock-repository.js';
import type { ApplicationDataSource } from './application-data-source.js';
import type { ApplicationTransactions } from './application-transactions.js';
import type { QueueConnection } from './queue-connection.js';
import { refuseInside } from './refuse-inside.js';
import { RowHolder } from './row-holder.js';
import {
  holdShedlock,
  releaseShedlock,
  renewShedlock,
  selectShedlock,
  shedlockOf,
  takeShedlock,
  type Shedlock,
} from './statements/shedlock.js';

/** Of the table's column. */
const LONGEST_LOCK_NAME = 64;

/** Locks in a table that other programs use too, such as the shedlock of Go. Only the fences are in a table of ours. */
export class ShedlockLockRepository extends LockRepository {
  private readonly holder: RowHolder;

  constructor(
    application: ApplicationDataSource,
    private readonly connection: QueueConnection,
    private readonly transactions: ApplicationTransactions,
    private readonly table: string,
  ) {
    super();
    this.holder = new RowHolder(application);
  }

  async take(request: LockRequest): Promise<LockAnswer> {
    const fault = nameFault(request.name, LONGEST_LOCK_NAME);
    if (fault !== undefined) throw new InvalidLockError('name', request.name, fault);
    const { database, shedlock } = await this.connected();
    refuseInside(this.transactions, database, request.name);
    // Whoever waits writes nothing.
    const { rows } = await database.query(selectShedlock(shedlock, request.name));
    const freeIn = Number(rows[0]?.['free_in'] ?? 0);
    return freeIn > 0 ? { freeIn } : database.transaction(() => takeShedlock(shedlock, request));
  }

  async renew(lock: HeldLock, duration: number): Promise<boolean> {
    const { database, shedlock } = await this.connected();
    const { affected } = await database.query(renewShedlock(shedlock, lock, duration), 'control');
    return affected === 1;
  }

  async holdIn(manager: EntityManager, lock: HeldLock): Promise<boolean> {
    const connected = await this.connection.get();
    const shedlock = shedlockOf(connected.tables, this.table);
    return this.holder.hold(manager, connected, () => holdShedlock(shedlock, lock));
  }

  async release(lock: HeldLock, atLeast: number): Promise<void> {
    const { database, shedlock } = await this.connected();
    await database.query(releaseShedlock(shedlock, lock, atLeast));
  }

  private async connected() {
    const { database, tables } = await this.connection.get();
    const shedlock: Shedlock = shedlockOf(tables, this.table);
    return { database, shedlock };
  }
}
