import type { JobLevel } from '../job/job.js';

/** How long a type is let be of which nobody knows when a job of it may begin. */
const LET_BE = 100;

interface Held {
  readonly level: JobLevel;
  readonly since: number;
  readonly retryAt: number;
  /** To be tried again at that time, and not with the next look after it. */
  readonly isKnown: boolean;
  /** Since jobs have come. */
  readonly isHinted: boolean;
}

/** What a claim has come to. */
interface Answer {
  readonly claimed: number;
  /** Milliseconds until a job may begin, where that is known. */
  readonly freeIn: number | undefined;
}

/**
 * Types whose waiting jobs a limit holds back. They are let be until something may have changed, however many wait, so that they neither
 * spin nor delay other types.
 */
export class HeldBack {
  private readonly byType = new Map<string, Held>();
  /** Types of which jobs have ended since their last claim began: what that was told may be out of date. */
  private readonly freed = new Set<string>();
  /** Types that are being tried again because jobs have come. */
  private readonly hinted = new Set<string>();
  /** Types that have been, in vain: their jobs may go on coming to a key that has no room. */
  private readonly vain = new Set<string>();

  /** `shortest`: jobs that come make it be tried again after so many milliseconds, and not sooner. */
  constructor(private readonly shortest: number) {}

  has(type: string): boolean {
    return this.byType.has(type);
  }

  claims(type: string): void {
    this.freed.delete(type);
  }

  /** That claim has been told so. */
  hold(level: JobLevel, now: number, { claimed, freeIn }: Answer): void {
    const { type } = level;
    const known = this.freed.has(type) ? 0 : freeIn;
    if (claimed > 0) this.vain.delete(type);
    else if (this.hinted.has(type)) this.vain.add(type);
    this.hinted.delete(type);
    const retryAt = now + (known ?? LET_BE);
    this.byType.set(type, { level, since: now, retryAt, isKnown: known !== undefined, isHinted: false });
  }

  /** Jobs of these types have ended here. */
  free(types: Iterable<string>): JobLevel[] {
    for (const type of types) this.freed.add(type);
    return this.release((type) => this.freed.has(type));
  }

  /** A job of the type has come, perhaps under a key that has room. `true`: it is to be tried again sooner than was said before. */
  hint(type: string): boolean {
    const held = this.byType.get(type);
    if (held === undefined) return false;
    const retryAt = held.since + (this.vain.has(type) ? LET_BE : this.shortest);
    if (held.isKnown && held.retryAt <= retryAt) return false;
    this.byType.set(type, { ...held, retryAt, isKnown: true, isHinted: true });
    return true;
  }

  /** Those that are to be tried again: they are held back no more. */
  release(which: (type: string, retryAt: number) => boolean): JobLevel[] {
    const released = [...this.byType.values()].filter(({ level, retryAt }) => which(level.type, retryAt));
    for (const { level, isHinted } of released) {
      this.byType.delete(level.type);
      if (isHinted) this.hinted.add(level.type);
    }
    return released.map(({ level }) => level);
  }

  /** Milliseconds until the first that is to be tried again at a certain time. */
  nextIn(now: number): number | undefined {
    const times = [...this.byType.values()].filter(({ isKnown }) => isKnown).map(({ retryAt }) => retryAt - now);
    return times.length === 0 ? undefined : Math.min(...times);
  }
}
