import { Injectable } from '@nestjs/common';
import { JobQueue } from 'nestjs-persistent-queue';
import type { IncomingOrder } from './order-file.js';
import { OrderNotify } from './order-notify.js';
import { Order } from './order.entity.js';

export class CardDeclinedError extends Error {
  override readonly name = 'CardDeclinedError';
}

@Injectable()
export class OrderDesk {
  constructor(private readonly jobQueue: JobQueue) {}

  /** The order and its notification: both are committed, or neither is. */
  async place({ card, ...incoming }: IncomingOrder): Promise<void> {
    await this.jobQueue.transaction(async (manager) => {
      const order = await manager.save(Order, incoming);
      await this.jobQueue.enqueue(
        OrderNotify,
        { orderId: order.id },
        { manager, key: order.number, reference: order.number },
      );
      // Last on purpose: the order and its job are both written by now, and both are rolled back.
      if (card === 'declined') throw new CardDeclinedError(`The card for order ${order.number} was declined`);
    });
  }
}
