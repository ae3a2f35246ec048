import type { Settlement } from '../job/settlement.js';
import type { Slot, SlotOfJob } from './statements/slots.js';

/** Jobs that are remembered: of some the end is never told here, as of lost ones, and of those that end in a transaction of their handler. */
const MOST = 10_000;

interface Held {
  readonly type: string;
  readonly fence: number;
  readonly slots: readonly Slot[];
}

/**
 * The slots of the jobs that this process has claimed. When such a job has ended they are free, and this process knows it before all others:
 * it may give them to the next jobs without having looked for any.
 */
export class HeldSlots {
  /** In the order of their claims. */
  private readonly byJob = new Map<string, Held>();
  private readonly freed = new Map<string, (readonly Slot[])[]>();

  took(type: string, taken: readonly SlotOfJob[]): void {
    for (const { slot, job, fence } of taken) {
      const id = String(job);
      const held = this.byJob.get(id);
      const before = held?.fence === fence ? held.slots : [];
      this.byJob.set(id, { type, fence, slots: [...before, { ...slot, job, fence }] });
    }
    for (const id of this.byJob.keys()) {
      if (this.byJob.size <= MOST) break;
      this.byJob.delete(id);
    }
  }

  /** These ends are written. A job that is acknowledged by hand may go on. */
  ended(settlements: readonly Settlement[]): void {
    for (const { id, fence, manual } of settlements) {
      const held = this.byJob.get(id);
      if (held?.fence !== fence) continue;
      this.byJob.delete(id);
      if (manual) continue;
      const freed = this.freed.get(held.type);
      if (freed === undefined) this.freed.set(held.type, [held.slots]);
      else freed.push(held.slots);
    }
  }

  /** What each of up to `most` jobs had that have ended since: it is handed over once. */
  take(type: string, most: number): readonly (readonly Slot[])[] {
    return this.freed.get(type)?.splice(0, most) ?? [];
  }
}
