import type { LockRepository } from '../lock/lock-repository.js';
import type { ResolvedOptions } from '../options/resolved-options.js';
import type { ApplicationTransactions } from './application-transactions.js';
import type { QueueConnection } from './queue-connection.js';
import { ShedlockLockRepository } from './shedlock.lock-repository.js';
import { SqlLockRepository } from './sql.lock-repository.js';

export function lockRepository(
  connection: QueueConnection,
  transactions: ApplicationTransactions,
  { lockTable }: ResolvedOptions,
): LockRepository {
  return lockTable === undefined
    ? new SqlLockRepository(connection, transactions)
    : new ShedlockLockRepository(connection, transactions, lockTable);
}
