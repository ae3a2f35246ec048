import type { JobLimits } from '../job/job-limits.js';
import type { SlotKind } from '../repository/inspection-repository.js';
import type { KnownSlot, Slot } from './statements/slots.js';
import type { WaitingKey } from './statements/waiting-keys.js';

/**
 * Each process begins to look for a free slot at another one, and so finds again those that it had: two of them seldom want the same. Where
 * there are few slots, two that have drawn near places meet each time: who comes too late tries again soon.
 */
const OWN_PLACE = Math.random();
/** Milliseconds. */
const RETRY = { least: 10, more: 20 };

/** The slots that a job needs besides that of its key, for up to `most` jobs. */
export interface SharedSlots {
  readonly most: number;
  readonly slots: readonly (readonly Slot[])[];
  /** More are taken than the limit of now allows: it was lowered. */
  readonly isExceeded: boolean;
  /** Milliseconds until one more of the rate's is free; `undefined`: it is not the rate that ends at `most`. */
  readonly freeIn: number | undefined;
}

/** One key's share of a claim. */
export interface Share extends WaitingKey {
  readonly slots: readonly Slot[];
  /** More of its jobs could be held back. */
  readonly isAll: boolean;
}

/** `wanted` of each kind, less where not so many are free. */
export function shareSlots(known: readonly KnownSlot[], { concurrency, rate }: JobLimits, wanted: number): SharedSlots {
  const ofType = concurrency === undefined ? [] : [freeSlots('type', '', concurrency, known)];
  const ofRate = rate === undefined ? [] : [freeSlots('rate', '', rate.max, known)];
  const free = [...ofType, ...ofRate];
  const most = Math.min(wanted, ...free.map(({ length }) => length));
  const isRate = ofRate.some(({ length }) => length === most) && most < wanted;
  return {
    most,
    slots: free.map((slots) => slots.slice(0, most)),
    isExceeded:
      concurrency !== undefined &&
      isExceeded(
        known.filter(({ slot }) => slot.kind === 'type'),
        concurrency,
      ),
    freeIn: isRate ? rateFreeIn(known, rate) : undefined,
  };
}

/** Whether jobs run in slots above the limit. */
export function isExceeded(known: readonly KnownSlot[], limit: number): boolean {
  return known.some(({ slot, freeIn }) => slot.n > limit && freeIn !== 0);
}

/** Milliseconds after which somebody who has lost a race for slots looks for others: not the same for all, who would meet again. */
export function untilOthersHaveTheirs(): number {
  return RETRY.least + Math.random() * RETRY.more;
}

/** After a limit was lowered, more than one start may have to be over. Those of this claim are so after the whole time. */
function rateFreeIn(known: readonly KnownSlot[], rate: JobLimits['rate']): number | undefined {
  if (rate === undefined) return undefined;
  const waits = known.flatMap(waitOf).sort((a, b) => a - b);
  return waits[Math.max(0, waits.length - rate.max)] ?? rate.per;
}

function waitOf({ slot, freeIn = 0 }: KnownSlot): number[] {
  return slot.kind === 'rate' && freeIn > 0 ? [freeIn] : [];
}

/** Free slots go round the keys one by one, until there are `most`: no key has two before each other one has had its chance. */
export function shareKeys(
  keys: readonly WaitingKey[],
  known: readonly KnownSlot[],
  limit: number,
  most: number,
): Share[] {
  const ofKey = new Map<string, KnownSlot[]>(keys.map(({ key }) => [key, []]));
  for (const each of known) ofKey.get(each.slot.key)?.push(each);
  const free = keys.map(({ key }) => freeSlots('key', key, limit, ofKey.get(key) ?? [], most));
  const taken = keys.map(() => 0);
  let left = most;
  for (let round = 0, went = true; went && left > 0; round++) {
    went = false;
    for (const [at, slots] of free.entries()) {
      if (slots.length <= round || left === 0) continue;
      taken[at] = round + 1;
      left--;
      went = true;
    }
  }
  return keys.map((key, at) => {
    const slots = free[at] ?? [];
    return { ...key, slots: slots.slice(0, taken[at]), isAll: taken[at] === slots.length };
  });
}

/** Those that have no row yet are free too. No more than can be used. */
function freeSlots(kind: SlotKind, key: string, most: number, known: readonly KnownSlot[], useful = Infinity): Slot[] {
  const rows = new Map(known.filter(({ slot }) => slot.kind === kind).map((each) => [each.slot.n, each]));
  const above = [...rows.values()].filter(({ slot, freeIn }) => slot.n > most && freeIn !== 0).length;
  const slots: Slot[] = [];
  // The last free ones stand for those above a lowered limit: the same for all, or two processes would each leave other ones.
  const first = above > 0 ? 0 : Math.floor(OWN_PLACE * most);
  for (let place = 0; place < most && slots.length < useful + above; place++) {
    const n = ((first + place) % most) + 1;
    const row = rows.get(n);
    if (row === undefined) slots.push({ kind, key, n, job: 0, fence: 0 });
    else if (row.freeIn === 0) slots.push(row.slot);
  }
  return slots.slice(0, Math.max(0, slots.length - above));
}

/** Whether it has a row is not known by the slot itself: a row that nobody has taken looks the same. */
export function missingSlots(slots: readonly Slot[], known: readonly KnownSlot[]): Slot[] {
  const there = new Set(known.map(({ slot }) => `${slot.kind} ${slot.n} ${slot.key}`));
  return slots.filter(({ kind, n, key }) => !there.has(`${kind} ${n} ${key}`));
}
