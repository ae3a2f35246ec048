import { setTimeout } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { JobHandler, JobQueue, PermanentJobError, type JobContext } from 'nestjs-persistent-queue';
import { Notification } from './notification.entity.js';
import { OrderNotify } from './order-notify.js';

@Injectable()
export class OrderJobs {
  constructor(private readonly jobQueue: JobQueue) {}

  @JobHandler(OrderNotify)
  async notify({ orderId }: { orderId: number }, job: JobContext): Promise<string> {
    if (orderId < 0) throw new PermanentJobError(`There is no order ${orderId}`);
    await setTimeout(50, undefined, { signal: job.signal });
    await this.jobQueue.transaction((manager) => manager.insert(Notification, { orderId }));
    return `notified of ${orderId}`;
  }
}
