import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { PersistentQueueModule, type QueueRole } from 'nestjs-persistent-queue';
import { MailServer } from './orders/mail-server.js';
import { Notification } from './orders/notification.entity.js';
import { OrderDesk } from './orders/order-desk.js';
import { OrderJobs } from './orders/order-jobs.js';
import { Order } from './orders/order.entity.js';

/** One application: the shop's process and the workers' differ only in their roles. */
@Module({ providers: [OrderDesk, OrderJobs, MailServer] })
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
          entities: [Order, Notification],
          // The shop starts first: only it makes the tables.
          synchronize: roles.includes('enqueue'),
        }),
        PersistentQueueModule.forRoot({
          serviceName: 'shop',
          roles,
          concurrency: 16,
          // Short, so that you see a dead worker's jobs run again after 3 s. The default (15 s, 4 s) forgives longer pauses.
          lease: { duration: '3s', beat: '1s' },
          shutdownTimeout: '5s',
        }),
      ],
    };
  }
}
