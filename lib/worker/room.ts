import type { Completer } from '../completion/completer.js';
import type { JobHandlerRegistry } from '../handler/job-handler.registry.js';
import type { JobBuffer } from './job-buffer.js';
import type { Paces } from './pace.js';
import type { Slots } from './slots.js';

/** Claimed jobs of all types that wait for a slot. */
const MOST_WAITING = 1_000;

/** How many jobs to claim: what could start now, and what may wait here until it can. */
export class Room {
  constructor(
    private readonly registry: JobHandlerRegistry,
    private readonly slots: Slots,
    private readonly buffer: JobBuffer,
    private readonly paces: Paces,
    private readonly completer: Completer,
  ) {}

  of(type: string): number {
    const free = this.slots.free(type);
    const waiting = this.buffer.count(type);
    if (this.registry.limitsOf(type) !== undefined) return this.ofLimited(type, free, waiting);
    const allowed = this.paces.of(type).allowance(this.slots.takenBy(type) + free);
    // Half of it at a time: a claim for each job that has started would cost as much as one for hundreds.
    if (waiting > allowed / 2) return 0;
    return free + Math.max(0, Math.min(allowed - waiting, MOST_WAITING - this.buffer.size));
  }

  /**
   * What waits here would hold a slot of the whole cluster, or count for a rate at a time at which it has not begun. One may all the same,
   * where each slot that comes free goes to one that waits: of other types only, which would keep this one from ever beginning. It has its
   * turn among them, so that it is claimed too early by the length of a handler.
   */
  private ofLimited(type: string, free: number, waiting: number): number {
    if (waiting === 0 && this.buffer.size > 0 && this.slots.isFullOfOthers(type)) return 1;
    return Math.max(0, free - waiting - this.inSlots(type));
  }

  /** Jobs that have ended hold their slots of the whole cluster until that is written: then those are free for the next ones. */
  private inSlots(type: string): number {
    const { concurrency, key } = this.registry.limitsOf(type) ?? {};
    return concurrency === undefined && key === undefined ? 0 : this.completer.unwritten(type);
  }
}
