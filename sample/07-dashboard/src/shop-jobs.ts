import { Injectable } from '@nestjs/common';
import { JobHandler, JobSchedule, type JobContext } from 'nestjs-persistent-queue';

/** What captures payments; it is out of order until somebody mends it. */
@Injectable()
export class CardTerminal {
  isMended = false;

  capture(order: string): string {
    if (!this.isMended) throw new Error(`the card terminal does not answer (order ${order})`);
    return `receipt of ${order}`;
  }
}

/** A shop in which nearly everything is stuck, for one reason or another. */
@Injectable()
export class ShopJobs {
  constructor(private readonly terminal: CardTerminal) {}

  @JobHandler('order.notify')
  notify({ order }: { order: string }, job: JobContext): void {
    job.log(`order ${order}: the customer knows`);
  }

  @JobHandler('payment.capture', { maxRetries: 1, waitTime: '100ms' })
  capture({ order }: { order: string }): string {
    return this.terminal.capture(order);
  }

  /** Counts until it is told to stop, one shelf at a time. */
  @JobHandler('stock.count', { concurrency: 1, maxRetries: Infinity })
  async count(_: unknown, job: JobContext): Promise<void> {
    job.progress({ shelf: 1, of: 40 });
    await new Promise((resolve) => job.signal.addEventListener('abort', resolve, { once: true }));
    job.signal.throwIfAborted();
  }

  @JobHandler('report.build')
  build(): void {}

  @JobSchedule('0 3 * * *', { name: 'nightly report', description: 'The figures of the day' })
  nightly(): void {}
}
