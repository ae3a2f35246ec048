import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { PersistentQueueModule, type QueueRole } from 'nestjs-persistent-queue';
import { databaseOptions } from './database.js';
import { Notification } from './orders/notification.entity.js';
import { OrderJobs } from './orders/order-jobs.js';
import { Order } from './orders/order.entity.js';
import { OrdersService } from './orders/orders.service.js';

/** What the API and the worker have in common: their processes differ only in the roles. */
@Module({
  imports: [TypeOrmModule.forFeature([Order, Notification])],
  providers: [OrdersService, OrderJobs],
  exports: [OrdersService],
})
export class CoreModule {
  static as(...roles: QueueRole[]): DynamicModule {
    return {
      module: CoreModule,
      imports: [
        // The API starts first, and makes the tables.
        TypeOrmModule.forRootAsync({ useFactory: () => databaseOptions(roles.includes('enqueue')) }),
        PersistentQueueModule.forRoot({ serviceName: 'shop', concurrency: 8, roles }),
      ],
    };
  }
}
