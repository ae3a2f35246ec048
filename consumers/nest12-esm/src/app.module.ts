import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { PersistentQueueModule } from 'nestjs-persistent-queue';
import { databaseOptions } from './database.js';
import { OrdersModule } from './orders/orders.module.js';

@Module({
  imports: [
    TypeOrmModule.forRootAsync({ useFactory: databaseOptions }),
    PersistentQueueModule.forRoot({ serviceName: 'shop', concurrency: 8 }),
    OrdersModule,
  ],
})
export class AppModule {}
