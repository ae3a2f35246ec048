import type { DataSource } from 'typeorm';

/**
 * typeorm-transactional makes `dataSource.manager` a getter, which answers the manager of the transaction that the calling code is
 * inside of. Without the library, and outside of any transaction, it is the manager that is bound to no connection.
 */
export function patchedManager(dataSource: DataSource): unknown {
  return dataSource.manager;
}
