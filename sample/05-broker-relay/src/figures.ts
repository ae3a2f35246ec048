import type { JobCount } from 'nestjs-persistent-queue';

/** What is in the database at the end, and what the relay and the consumer have seen on the way. */
interface Figures {
  /** Attempts to send that the broker could not take; their jobs were tried again. */
  readonly refused: number;
  readonly sent: number;
  readonly sentAgain: number;
  /** Messages that have reached the consumer. */
  readonly delivered: number;
  /** Of these, those that came for a job which had ended, or had been sent again: they have changed nothing. */
  readonly late: number;
  readonly shipped: number;
  readonly shippedTwice: number;
  readonly finished: number;
}

export function figures(
  counts: readonly JobCount[],
  shipments: readonly { parcel: number }[],
  sent: ReadonlyMap<number, number>,
  seen: Pick<Figures, 'refused' | 'delivered' | 'late'>,
): Figures {
  const total = [...sent.values()].reduce((sum, times) => sum + times, 0);
  return {
    ...seen,
    sent: total,
    sentAgain: total - sent.size,
    shipped: shipments.length,
    shippedTwice: shipments.length - new Set(shipments.map(({ parcel }) => parcel)).size,
    finished: counts.find(({ state }) => state === 'succeeded')?.count ?? 0,
  };
}

export function isRight(found: Figures, parcels: number): boolean {
  return found.finished === parcels && found.shipped === parcels && found.shippedTwice === 0;
}

export function show(found: Figures): string {
  const lines = [
    ['attempts to send that failed', found.refused],
    ['messages sent', found.sent],
    ['   of which again: not acknowledged in time', found.sentAgain],
    ['messages delivered', found.delivered],
    ['   of which too late: they have changed nothing', found.late],
    ['parcels shipped', found.shipped],
    ['parcels shipped twice', found.shippedTwice],
    ['jobs finished', found.finished],
  ] as const;
  return lines.map(([name, count]) => `${name.padEnd(52)}${String(count).padStart(3)}`).join('\n');
}
