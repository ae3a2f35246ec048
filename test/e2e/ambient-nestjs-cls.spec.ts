import { Inject, Injectable } from '@nestjs/common';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import type { EntityManager } from 'typeorm';
import { ambientContract, type Transactions } from '../support/ambient.contract.js';
import type { TestSchema } from '../support/databases.js';
import {
  ClsModule,
  ClsPluginTransactional,
  Propagation,
  Transactional,
  TransactionalAdapterTypeOrm,
  TransactionHost,
} from '../support/nestjs-cls.js';

type Work<T> = () => Promise<T>;

@Injectable()
class Shop implements Transactions {
  constructor(@Inject(TransactionHost) private readonly host: { readonly tx: EntityManager }) {}

  get manager(): EntityManager {
    return this.host.tx;
  }

  @Transactional()
  required<T>(work: Work<T>): Promise<T> {
    return work();
  }

  @Transactional(Propagation.RequiresNew)
  requiresNew<T>(work: Work<T>): Promise<T> {
    return work();
  }

  @Transactional(Propagation.Nested)
  nested<T>(work: Work<T>): Promise<T> {
    return work();
  }

  @Transactional(Propagation.NotSupported)
  notSupported<T>(work: Work<T>): Promise<T> {
    return work();
  }

  @Transactional('elsewhere')
  elsewhere<T>(work: Work<T>): Promise<T> {
    return work();
  }
}

function typeorm({ options }: TestSchema, name?: string) {
  return TypeOrmModule.forRoot({ ...options, ...(name && { name }), retryAttempts: 0 });
}

function plugin(connectionName: string | undefined, dataSource: string | undefined) {
  const dataSourceToken = getDataSourceToken(dataSource);
  return new ClsPluginTransactional({
    ...(connectionName && { connectionName }),
    adapter: new TransactionalAdapterTypeOrm({ dataSourceToken: dataSourceToken as string }),
  });
}

ambientContract({
  name: '@nestjs-cls/transactional',
  transactions: Shop,
  modules: (own, other) => [
    typeorm(own),
    typeorm(other, 'other'),
    ClsModule.forRoot({ global: true, plugins: [plugin(undefined, undefined), plugin('elsewhere', 'other')] }),
  ],
  close: () => undefined,
});
