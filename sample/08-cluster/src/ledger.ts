import type { JobCount } from 'nestjs-persistent-queue';
import type { Placed } from './orders.js';
import type { Shipment } from './shipment.entity.js';

/** When a member was dead: milliseconds, of the clock that all of them share here. */
export interface Outage {
  readonly from: number;
  readonly to: number;
}

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
  /** Shipments while a member was dead. */
  readonly meanwhile: number;
  /** Members that shipments were written on. */
  readonly members: number;
  readonly byWorker: ReadonlyMap<string, number>;
}

export function ledgerOf(
  { accepted, repeated }: Placed,
  { from, to }: Outage,
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
    meanwhile: shipments.filter(({ at }) => at >= from && at < to).length,
    members: new Set(shipments.map(({ member }) => member)).size,
    byWorker: countBy(shipments, ({ worker, member }) => `   by worker ${worker} on ${member}`),
  };
}

/** All is shipped, and on more than the member that died, also while it was dead: otherwise nothing has been shown. */
export function isRight({ accepted, finished, shippedTwice, missing, members, meanwhile }: Ledger): boolean {
  return finished === accepted && shippedTwice === 0 && missing === 0 && members > 1 && meanwhile > 0;
}

export function show(ledger: Ledger): string {
  const lines: [string, number | string][] = [
    ['orders enqueued', ledger.accepted],
    ['   of which tried again by the producer', ledger.repeated],
    ['jobs finished', ledger.finished],
    ['orders shipped', ledger.shipped],
    ...[...ledger.byWorker].toSorted(([a], [b]) => a.localeCompare(b)),
    ['   while member1 was dead', ledger.meanwhile],
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
