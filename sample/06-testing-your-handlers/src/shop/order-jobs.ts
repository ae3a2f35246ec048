import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import {
  JobHandler,
  JobOutcome,
  JobQueue,
  JobSchedule,
  PermanentJobError,
  type JobContext,
} from 'nestjs-persistent-queue';
import type { DataSource } from 'typeorm';
import { Order, Payment } from './entities.js';
import { OrderCharge, OrderConfirm, OrderFulfil, OrderRemind } from './jobs.js';
import { OutsideWorld } from './outside-world.js';

const MOST_REMINDERS = 3;

@Injectable()
export class OrderJobs {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly jobQueue: JobQueue,
    private readonly world: OutsideWorld,
  ) {}

  /** Retried when the mail server is away; given up at once where no mail can ever arrive. */
  @JobHandler(OrderConfirm)
  async confirm({ orderId }: { orderId: number }): Promise<string> {
    const order = await this.orderOf(orderId);
    if (!order.email.includes('@')) throw new PermanentJobError(`'${order.email}' is no address`);
    return this.world.mail(order.email, `Thank you for order ${orderId}`);
  }

  /** The payment, the order's state, the next job and the end of this one are one commit. */
  @JobHandler(OrderCharge)
  async charge({ orderId }: { orderId: number }, job: JobContext): Promise<unknown> {
    const order = await job.manager.findOneByOrFail(Order, { id: orderId });
    const answer = await this.world.askBank(orderId, order.price);
    if (answer === 'declined') return JobOutcome.fail(`The bank has declined ${order.price}`);
    await job.manager.insert(Payment, { orderId, price: order.price });
    await job.manager.update(Order, orderId, { state: 'paid' });
    await this.jobQueue.enqueue(OrderFulfil, { orderId });
    return answer;
  }

  /** Every two days, until it is paid. */
  @JobHandler(OrderRemind)
  async remind({ orderId, reminder }: { orderId: number; reminder: number }): Promise<unknown> {
    const order = await this.orderOf(orderId);
    if (order.state !== 'open') return 'not needed';
    if (reminder > MOST_REMINDERS) return JobOutcome.fail('reminded often enough');
    await this.world.mail(order.email, `Order ${orderId} is not paid (${reminder})`);
    await this.jobQueue.enqueue(OrderRemind, { orderId, reminder: reminder + 1 }, { delay: '2d' });
    return 'reminded';
  }

  /** Each step once: what is done is not done again, whatever becomes of the process. */
  @JobHandler(OrderFulfil)
  async fulfil({ orderId }: { orderId: number }, job: JobContext): Promise<string> {
    const parcel = await job.step('ship', () => this.world.ship(orderId));
    await job.sleep('on its way', '1d');
    const order = await this.orderOf(orderId);
    await job.step('mail', () => this.world.mail(order.email, `Parcel ${parcel} should be there`));
    await this.dataSource.manager.update(Order, orderId, { state: 'fulfilled' });
    return parcel;
  }

  @JobSchedule('0 8 * * *', { name: 'report', timeZone: 'Europe/Berlin' })
  async report(): Promise<string> {
    const payments = await this.dataSource.manager.find(Payment);
    const sum = payments.reduce((total, { price }) => total + price, 0);
    return this.world.mail('boss@example.com', `${payments.length} payments, ${sum} in all`);
  }

  private orderOf(id: number): Promise<Order> {
    return this.dataSource.manager.findOneByOrFail(Order, { id });
  }
}
