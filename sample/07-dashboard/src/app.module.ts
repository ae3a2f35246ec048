import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { PersistentQueueModule } from 'nestjs-persistent-queue';
import { PersistentQueueDashboardModule } from 'nestjs-persistent-queue/dashboard';
import { FulfilOrder } from './fulfil-order.js';
import { CardTerminal, ShopJobs } from './shop-jobs.js';
import { StaffGuard } from './staff.guard.js';

@Module({ providers: [ShopJobs, CardTerminal, FulfilOrder] })
export class AppModule {
  static for(database: string): DynamicModule {
    return {
      module: AppModule,
      imports: [
        // A busy file is an error at once, which the queue tries again; waiting inside SQLite would freeze the process.
        TypeOrmModule.forRoot({ type: 'better-sqlite3', database, enableWAL: true, timeout: 0 }),
        PersistentQueueModule.forRoot({ serviceName: 'shop', poll: { max: '200ms' }, shutdownTimeout: '1s' }),
        PersistentQueueDashboardModule.forRoot({ guard: StaffGuard, readOnly: false }),
      ],
    };
  }
}
