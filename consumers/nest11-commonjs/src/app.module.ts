import { Module } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { TypeOrmModule } from '@nestjs/typeorm';
import { PersistentQueueModule } from 'nestjs-persistent-queue';
import { databaseOptions } from './database';
import { OrdersModule } from './orders/orders.module';

@Module({
  imports: [
    TypeOrmModule.forRootAsync({ useFactory: databaseOptions }),
    PersistentQueueModule.forRoot({ serviceName: 'shop', concurrency: 8 }),
    ScheduleModule.forRoot(),
    OrdersModule,
  ],
})
export class AppModule {}
