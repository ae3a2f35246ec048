import { Injectable } from '@nestjs/common';
import { InjectDataSource, TypeOrmModule } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import {
  addTransactionalDataSource,
  deleteDataSourceByName,
  initializeTransactionalContext,
  Propagation,
  StorageDriver,
  Transactional,
} from 'typeorm-transactional';
import { ambientContract, type Transactions } from '../support/ambient.contract.js';
import type { TestSchema } from '../support/databases.js';

initializeTransactionalContext({ storageDriver: StorageDriver.ASYNC_LOCAL_STORAGE });

type Work<T> = () => Promise<T>;

@Injectable()
class Shop implements Transactions {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  get manager(): EntityManager {
    return this.dataSource.manager;
  }

  @Transactional()
  required<T>(work: Work<T>): Promise<T> {
    return work();
  }

  @Transactional({ propagation: Propagation.REQUIRES_NEW })
  requiresNew<T>(work: Work<T>): Promise<T> {
    return work();
  }

  @Transactional({ propagation: Propagation.NESTED })
  nested<T>(work: Work<T>): Promise<T> {
    return work();
  }

  @Transactional({ propagation: Propagation.NOT_SUPPORTED })
  notSupported<T>(work: Work<T>): Promise<T> {
    return work();
  }

  @Transactional({ connectionName: 'other' })
  elsewhere<T>(work: Work<T>): Promise<T> {
    return work();
  }
}

function typeorm({ options }: TestSchema, name?: string) {
  return TypeOrmModule.forRootAsync({
    ...(name && { name }),
    useFactory: () => ({ ...options, retryAttempts: 0 }),
    dataSourceFactory: async (given) =>
      addTransactionalDataSource({
        name: name ?? 'default',
        dataSource: new DataSource(given ?? options),
      }).initialize(),
  });
}

ambientContract({
  name: 'typeorm-transactional',
  transactions: Shop,
  modules: (own, other) => [typeorm(own), typeorm(other, 'other')],
  close: () => ['default', 'other'].forEach((name) => deleteDataSourceByName(name)),
});
