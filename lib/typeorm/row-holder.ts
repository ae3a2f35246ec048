import type { EntityManager } from 'typeorm';
import { InvalidLockError } from '../errors/invalid-lock.error.js';
import type { ApplicationDataSource } from './application-data-source.js';
import { Callers } from './callers.js';
import type { Connected } from './queue-connection.js';
import type { Script } from './statement.js';

/** Locks the row of a lock in a transaction of the application. */
export class RowHolder {
  private readonly callers: Callers;

  constructor(application: ApplicationDataSource) {
    this.callers = new Callers(application);
  }

  /** `holding`: answers whether it is still the holder's. */
  hold(manager: EntityManager, connected: Connected, holding: () => Script<boolean>): Promise<boolean> {
    if (manager.queryRunner?.isTransactionActive !== true)
      throw new InvalidLockError(
        'manager',
        manager,
        'Give the EntityManager of a transaction, for as long as that is open.',
      );
    return this.callers.run(manager, connected, holding);
  }
}
