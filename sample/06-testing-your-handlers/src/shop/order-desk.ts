import { Injectable } from '@nestjs/common';
import { JobQueue } from 'nestjs-persistent-queue';
import { Order } from './entities.js';
import { OrderCharge, OrderConfirm, OrderRemind } from './jobs.js';

const LARGEST_PRICE = 10_000;

@Injectable()
export class OrderDesk {
  constructor(private readonly jobQueue: JobQueue) {}

  /** The order and its jobs, or neither. */
  place(email: string, price: number): Promise<Order> {
    return this.jobQueue.transaction(async (manager) => {
      const order = await manager.save(manager.create(Order, { email, price }));
      await this.jobQueue.enqueue(OrderConfirm, { orderId: order.id }, { reference: `order-${order.id}` });
      await this.jobQueue.enqueue(OrderCharge, { orderId: order.id }, { key: `charge-${order.id}`, priority: 5 });
      await this.jobQueue.enqueue(OrderRemind, { orderId: order.id, reminder: 1 }, { delay: '2d' });
      if (price > LARGEST_PRICE) throw new RangeError(`Nobody orders for ${price}.`);
      return order;
    });
  }
}
