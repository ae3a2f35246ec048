import { setTimeout } from 'node:timers/promises';
import type { JobQueue } from 'nestjs-persistent-queue';

export const SHIP = 'order.ship';

const EVERY = 25;
const TRY_AGAIN_AFTER = 200;
const PATIENCE = 30_000;

/** Orders whose enqueue was answered, and how often one was tried again. */
export interface Placed {
  readonly accepted: readonly number[];
  readonly repeated: number;
}

export async function place(jobQueue: JobQueue, orders: number): Promise<Placed> {
  const accepted: number[] = [];
  let repeated = 0;
  for (let order = 1; order <= orders; order++) {
    repeated += await enqueue(jobQueue, order);
    accepted.push(order);
    await setTimeout(EVERY);
  }
  return { accepted, repeated };
}

/**
 * When the member dies under it, nobody knows whether the job is there: with its key it is enqueued once, however often that is tried.
 * Answers how often it was tried again.
 */
async function enqueue(jobQueue: JobQueue, order: number): Promise<number> {
  const giveUpAt = Date.now() + PATIENCE;
  for (let repeated = 0; ; repeated++) {
    try {
      await jobQueue.enqueue(SHIP, { order }, { key: `order-${order}` });
      return repeated;
    } catch (error) {
      if (Date.now() > giveUpAt) throw error;
      await setTimeout(TRY_AGAIN_AFTER);
    }
  }
}
