import { setTimeout } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { JobContext } from 'nestjs-persistent-queue';

/** Stands for a real one: it is slow, and busy when some orders are tried for the first or second time. */
@Injectable()
export class MailServer {
  /** @throws when the server is busy: the job is then retried. */
  async connect(orderId: number, { attempt, signal }: JobContext): Promise<void> {
    await setTimeout(300 + ((orderId * 37) % 400), undefined, { signal });
    if (attempt <= busyTimes(orderId)) throw new Error('451 Busy, try again later');
  }
}

/** How many attempts for this order find the server busy: the same for each run, so that the retries can be checked. */
export function busyTimes(orderId: number): number {
  if (orderId % 35 === 0) return 2;
  return orderId % 7 === 0 ? 1 : 0;
}
