import type { JobLimits } from '../../job/job-limits.js';
import type { SlotKind, TakenSlot } from '../../repository/inspection-repository.js';
import type { MemoryStore } from './memory-store.js';
import type { JobRow, SlotRow } from './rows.js';

/** The slots of one limit, as they are for one job. */
export interface SlotGroup {
  readonly kind: SlotKind;
  readonly key: string;
  readonly most: number;
  /** Of a rate: for how many milliseconds a slot stays taken. */
  readonly per: number;
}

/** What a job needs a slot of. */
export function groupsOf({ concurrency_key: key }: JobRow, limits: JobLimits): SlotGroup[] {
  return [
    ...(limits.concurrency === undefined ? [] : [{ kind: 'type', key: '', most: limits.concurrency, per: 0 } as const]),
    ...(limits.key === undefined ? [] : [{ kind: 'key', key, most: limits.key.limit, per: 0 } as const]),
    ...(limits.rate === undefined
      ? []
      : [{ kind: 'rate', key: '', most: limits.rate.max, per: limits.rate.per } as const]),
  ];
}

export function hasFreeSlots(store: MemoryStore, row: JobRow, limits: JobLimits): boolean {
  return groupsOf(row, limits).every((group) => freeSlot(store, row, group) !== undefined);
}

/** Of a job that has just been claimed. */
export function takeSlots(store: MemoryStore, row: JobRow, limits: JobLimits): void {
  for (const group of groupsOf(row, limits)) {
    const n = freeSlot(store, row, group);
    if (n === undefined) throw new Error(`Job ${row.id} was claimed without a free slot of its ${group.kind}.`);
    const { service, type, id: job_id, fence } = row;
    const slot = { service, type, kind: group.kind, slot_key: group.key, n, job_id, fence, taken_at: store.now };
    store.slots = [...store.slots.filter((other) => other.n !== n || !isOf(other, row, group)), slot];
  }
}

/** In how many milliseconds the next slot of the rate is free, if none is. `now`: before any of them was taken that have just been. */
export function rateFreeIn(store: MemoryStore, row: JobRow, limits: JobLimits, now: number): number | undefined {
  const rate = groupsOf(row, limits).find(({ kind }) => kind === 'rate');
  if (rate === undefined || freeSlot(store, row, rate) !== undefined) return undefined;
  const taken = takenOf(store, row, rate).map(({ taken_at: at }) => at);
  const [first = now] = taken.sort((a, b) => a - b).slice(Math.max(0, taken.length - rate.most));
  return Math.min(first + rate.per - now, rate.per);
}

export function takenSlots(store: MemoryStore, row: JobRow): TakenSlot[] {
  const isKept = (slot: SlotRow) => slot.kind === 'rate' || isHeld(store, slot);
  return store.slots
    .filter((slot) => slot.service === row.service && slot.type === row.type && isKept(slot))
    .filter(({ kind, slot_key: key }) => kind !== 'key' || key === row.concurrency_key)
    .map(({ kind, n, taken_at: at }) => ({ kind, n, takenAt: new Date(at), age: store.now - at }));
}

/** The first that is free. Those above a lowered limit count too. */
function freeSlot(store: MemoryStore, row: JobRow, group: SlotGroup): number | undefined {
  const taken = new Set(takenOf(store, row, group).map(({ n }) => n));
  if (taken.size >= group.most) return undefined;
  return Array.from({ length: group.most }, (_, index) => index + 1).find((n) => !taken.has(n));
}

function isTaken(store: MemoryStore, slot: SlotRow, { kind, per }: SlotGroup): boolean {
  return kind === 'rate' ? slot.taken_at > store.now - per : isHeld(store, slot);
}

function isHeld(store: MemoryStore, { job_id: id, fence }: SlotRow): boolean {
  return store.held({ id: String(id), fence }) !== undefined;
}

function takenOf(store: MemoryStore, row: JobRow, group: SlotGroup): SlotRow[] {
  return store.slots.filter((slot) => isOf(slot, row, group) && isTaken(store, slot, group));
}

function isOf(slot: SlotRow, { service, type }: JobRow, { kind, key }: SlotGroup): boolean {
  return slot.service === service && slot.type === type && slot.kind === kind && slot.slot_key === key;
}
