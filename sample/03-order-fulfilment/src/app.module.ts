import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { PersistentQueueModule, type QueueRole } from 'nestjs-persistent-queue';
import { FulfilOrder } from './fulfil-order.js';
import { Payment } from './payment.entity.js';

/** One application: the process that enqueues and those that work differ only in their roles. */
@Module({ providers: [FulfilOrder] })
export class AppModule {
  static for(database: string, roles: QueueRole[]): DynamicModule {
    return {
      module: AppModule,
      imports: [
        TypeOrmModule.forRoot({
          type: 'better-sqlite3',
          database,
          enableWAL: true,
          // A busy file is an error at once, which the queue tries again; waiting inside SQLite would freeze the process.
          timeout: 0,
          entities: [Payment],
          // The main process starts first: only it makes the tables.
          synchronize: roles.includes('enqueue'),
        }),
        PersistentQueueModule.forRoot({
          serviceName: 'shop',
          roles,
          // Short, so that you see a dead process's jobs go on after 3 s. The default (15 s, 4 s) forgives longer pauses.
          lease: { duration: '3s', beat: '1s' },
        }),
      ],
    };
  }
}
