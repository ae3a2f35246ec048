import { Injectable } from '@nestjs/common';
import type { DataSource, EntityManager } from 'typeorm';
import { ApplicationDataSource } from '../application-data-source.js';
import { TransactionHosts } from './transaction-hosts.js';
import { patchedManager } from './typeorm-transactional.js';

/** The transactions that the application's own libraries keep for the calling code: `@Transactional()` and the like. */
@Injectable()
export class AmbientManagers {
  constructor(
    private readonly application: ApplicationDataSource,
    private readonly hosts: TransactionHosts,
  ) {}

  /** The manager of the open transaction on the application's DataSource that the calling code is inside of. */
  get current(): EntityManager | undefined {
    const dataSource = this.application.find();
    if (dataSource === undefined) return undefined;
    return [patchedManager(dataSource), ...this.hosts.managers()].find((manager) => isOpenOn(manager, dataSource));
  }
}

/**
 * What runs on after the end, such as a timer, may still be told of the transaction: what it writes would be lost or fail. And
 * a transaction of another DataSource cannot carry our rows, even if both lead to one server.
 */
function isOpenOn(manager: unknown, dataSource: DataSource): manager is EntityManager {
  const { connection, queryRunner } = (manager ?? {}) as Partial<EntityManager>;
  return connection === dataSource && queryRunner?.isTransactionActive === true && !queryRunner.isReleased;
}
