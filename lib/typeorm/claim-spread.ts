import type { JobLevel } from '../job/job.js';

/** In claims. Wider, and those at the head of the line would wait for long. */
const WIDEST = 16;
/** How much narrower with each claim that has gone well: after a while somebody looks whether the others are gone. */
const NARROWER = 0.25;

/**
 * How far behind the head of a level's line a claim begins, where two members of a cluster would claim the same jobs and one of them in
 * vain: somewhere in a stretch that becomes wider with each collision.
 */
export class ClaimSpread {
  private readonly widths = new Map<string, number>();

  constructor(private readonly random: () => number = Math.random) {}

  /** How many jobs are left to others. */
  skip(level: JobLevel, limit: number): number {
    return Math.floor(this.random() * this.width(level)) * limit;
  }

  collided(level: JobLevel): void {
    this.widths.set(keyOf(level), Math.min(this.width(level) * 2, WIDEST));
  }

  wentWell(level: JobLevel): void {
    const width = this.width(level) - NARROWER;
    if (width > 1) this.widths.set(keyOf(level), width);
    else this.widths.delete(keyOf(level));
  }

  private width(level: JobLevel): number {
    return this.widths.get(keyOf(level)) ?? 1;
  }
}

function keyOf({ type, priority }: JobLevel): string {
  return `${priority} ${type}`;
}
