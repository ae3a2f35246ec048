import { Module } from '@nestjs/common';
import { PersistentQueueModule } from 'nestjs-persistent-queue';
import { OrderDesk } from './order-desk.js';
import { OrderJobs } from './order-jobs.js';
import { OutsideWorld } from './outside-world.js';

@Module({
  imports: [PersistentQueueModule.forRoot({ serviceName: 'shop' })],
  providers: [OrderDesk, OrderJobs, OutsideWorld],
})
export class ShopModule {}
