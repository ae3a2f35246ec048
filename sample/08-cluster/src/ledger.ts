import type { JobCount } from 'nestjs-persistent-queue';
import type { Placed } from './orders.js';
import type { Shipment } from './shipment.entity.js';

/** What is in the database at the end, against what was enqueued. */
export interface Ledger {
  readonly accepted: number;
  readonly repeated: number;
  readonly finished: number;
  readonly shipped: number;
  readonly shippedTwice: number;
  readonly missing: number;
  /** Milliseconds for which nobody has shipped anything, at the longest. */
  readonly gap: number;
  readonly byWorker: ReadonlyMap<string, number>;
}

export function ledgerOf(
  { accepted, repeated }: Placed,
  counts: readonly JobCount[],
  shipments: readonly Shipment[],
): Ledger {
  const shipped = new Set(shipments.map(({ order }) => order));
  return {
    accepted: accepted.length,
    repeated,
    finished: counts.find(({ state }) => state === 'succeeded')?.count ?? 0,
    shipped: shipments.length,
    shippedTwice: shipments.length - shipped.size,
    missing: accepted.filter((order) => !shipped.has(order)).length,
    gap: longestGap(shipments.map(({ at }) => at)),
    byWorker: countBy(shipments, ({ worker, member }) => `   by worker ${worker} on ${member}`),
  };
}

export function isRight({ accepted, finished, shippedTwice, missing }: Ledger): boolean {
  return finished === accepted && shippedTwice === 0 && missing === 0;
}

export function show(ledger: Ledger): string {
  const lines: [string, number | string][] = [
    ['orders enqueued', ledger.accepted],
    ['   of which tried again by the producer', ledger.repeated],
    ['jobs finished', ledger.finished],
    ['orders shipped', ledger.shipped],
    ...[...ledger.byWorker].toSorted(([a], [b]) => a.localeCompare(b)),
    ['orders shipped twice', ledger.shippedTwice],
    ['orders enqueued and never shipped', ledger.missing],
    ['longest time without a shipment', `${(ledger.gap / 1_000).toFixed(1)} s`],
  ];
  return lines.map(([name, value]) => `${name.padEnd(42)}${String(value).padStart(6)}`).join('\n');
}

function longestGap(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  return Math.max(0, ...sorted.slice(1).map((time, index) => time - (sorted[index] ?? time)));
}

function countBy<T>(items: readonly T[], nameOf: (item: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(nameOf(item), (counts.get(nameOf(item)) ?? 0) + 1);
  return counts;
}
