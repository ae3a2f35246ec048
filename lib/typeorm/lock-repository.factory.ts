import type { LockRepository } from '../lock/lock-repository.js';
import type { ResolvedOptions } from '../options/resolved-options.js';
import type { QueueConnection } from './queue-connection.js';
import { ShedlockLockRepository } from './shedlock.lock-repository.js';
import { SqlLockRepository } from './sql.lock-repository.js';

export function lockRepository(connection: QueueConnection, { lockTable }: ResolvedOptions): LockRepository {
  return lockTable === undefined
    ? new SqlLockRepository(connection)
    : new ShedlockLockRepository(connection, lockTable);
}
