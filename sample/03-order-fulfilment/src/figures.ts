import type { Job, JobSteps } from 'nestjs-persistent-queue';
import type { Fulfilment } from './fulfil-order.js';

/** What is in the database at the end. */
interface Figures {
  readonly fulfilled: number;
  readonly declined: number;
  readonly payments: number;
  readonly paidTwice: number;
  /** Steps that have ended more than once: the parcel service was busy. */
  readonly triedAgain: number;
}

export function figures(
  jobs: readonly Job[],
  steps: readonly JobSteps[],
  payments: readonly { order: string }[],
): Figures {
  return {
    fulfilled: jobs.filter(({ state }) => state === 'succeeded').length,
    declined: jobs.filter(({ state }) => state === 'failed').length,
    payments: payments.length,
    paidTwice: payments.length - new Set(payments.map(({ order }) => order)).size,
    triedAgain: steps.flatMap((each) => each.steps).filter(({ attempts }) => attempts > 1).length,
  };
}

export function isRight(found: Figures, orders: readonly Fulfilment[]): boolean {
  const good = orders.filter(({ card }) => card === 'good').length;
  const isComplete = found.fulfilled === good && found.declined === orders.length - good;
  return isComplete && found.payments === good && found.paidTwice === 0;
}

export function show(found: Figures): string {
  const lines = [
    ['orders fulfilled', found.fulfilled],
    ['cards declined, back to the stock', found.declined],
    ['payments', found.payments],
    ['orders paid twice', found.paidTwice],
    ['steps that were tried again', found.triedAgain],
  ] as const;
  return lines.map(([name, count]) => `${name.padEnd(36)}${String(count).padStart(3)}`).join('\n');
}
