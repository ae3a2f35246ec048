import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Notification } from './notification.entity.js';
import { Order } from './order.entity.js';
import { OrderJobs } from './order-jobs.js';
import { OrdersController } from './orders.controller.js';
import { OrdersService } from './orders.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([Order, Notification])],
  controllers: [OrdersController],
  providers: [OrdersService, OrderJobs],
})
export class OrdersModule {}
