import { LockInTransactionError } from '../errors/lock-in-transaction.error.js';
import type { ApplicationTransactions } from './application-transactions.js';
import type { Database } from './database.js';

/** With one writer, a lock that is asked for inside of a transaction would wait until that ends, and the transaction for the lock. */
export function refuseInside({ current }: ApplicationTransactions, { dialect }: Database, lock: string): void {
  if (dialect.name === 'sqlite' && current !== undefined) throw new LockInTransactionError(lock);
}
