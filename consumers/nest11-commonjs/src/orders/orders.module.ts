import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { NightShift } from './night-shift';
import { Notification } from './notification.entity';
import { Order } from './order.entity';
import { OrderJobs } from './order-jobs';
import { OrdersController } from './orders.controller';
import { OrdersService } from './orders.service';

@Module({
  imports: [TypeOrmModule.forFeature([Order, Notification])],
  controllers: [OrdersController],
  providers: [OrdersService, OrderJobs, NightShift],
})
export class OrdersModule {}
