import type { LockRepository } from '../lock/lock-repository.js';
import type { ResolvedOptions } from '../options/resolved-options.js';
import type { ApplicationDataSource } from './application-data-source.js';
import type { ApplicationTransactions } from './application-transactions.js';
import type { QueueConnection } from './queue-connection.js';
import { ShedlockLockRepository } from './shedlock.lock-repository.js';
import { SqlLockRepository } from './sql.lock-repository.js';

export function lockRepository(
  application: ApplicationDataSource,
  connection: QueueConnection,
  transactions: ApplicationTransactions,
  { lockTable }: ResolvedOptions,
): LockRepository {
  return lockTable === undefined
    ? new SqlLockRepository(application, connection, transactions)
    : new ShedlockLockRepository(application, connection, transactions, lockTable);
}
