import { Injectable } from '@nestjs/common';
import { JobHandler, JobQueue, type JobContext } from 'nestjs-persistent-queue';
import { MailServer } from './mail-server.js';
import { Notification } from './notification.entity.js';
import { OrderNotify } from './order-notify.js';

@Injectable()
export class OrderJobs {
  constructor(
    private readonly jobQueue: JobQueue,
    private readonly mailServer: MailServer,
  ) {}

  @JobHandler(OrderNotify)
  async notify({ orderId }: { orderId: number }, job: JobContext): Promise<void> {
    await this.mailServer.connect(orderId, job);
    await this.jobQueue.transaction(async (manager) => {
      // A job runs at least once: a worker may have died right after this transaction, before it could tell the queue.
      if (await manager.existsBy(Notification, { orderId })) return;
      await manager.insert(Notification, { orderId, worker: process.pid });
    });
  }
}
