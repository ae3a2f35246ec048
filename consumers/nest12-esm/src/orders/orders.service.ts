import { Injectable } from '@nestjs/common';
import { JobQueue } from 'nestjs-persistent-queue';
import { Notification } from './notification.entity.js';
import { OrderNotify } from './order-notify.js';
import { Order } from './order.entity.js';

@Injectable()
export class OrdersService {
  constructor(private readonly jobQueue: JobQueue) {}

  /** The order and its notification: both are stored, or neither is. */
  place(item: string): Promise<Order> {
    return this.jobQueue.transaction(async (manager) => {
      const order = await manager.save(Order, { item });
      await this.jobQueue.enqueue(OrderNotify, { orderId: order.id }, { manager, key: `notify-${order.id}` });
      if (item === '') throw new Error('An order without an item');
      return order;
    });
  }

  all(): Promise<Order[]> {
    return this.jobQueue.transaction((manager) => manager.find(Order));
  }

  notifications(): Promise<Notification[]> {
    return this.jobQueue.transaction((manager) => manager.find(Notification));
  }
}
