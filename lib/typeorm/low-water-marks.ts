import type { ClaimedJob, JobLevel } from '../job/job.js';

/** Jobs that come in behind a mark (an earlier due time committed later) are found within this time. */
const LONGEST_BLINDNESS = 1_000;

/** What a claim reads in the order of due times. */
export interface ClaimedStretch extends JobLevel {
  /** Its concurrency key, for types that have some. */
  readonly key?: string;
}

/** From which due time on to claim. */
export interface ClaimMarks {
  /** 0 is a full scan. */
  from(stretch: ClaimedStretch, now: number): number;
  advance(stretch: ClaimedStretch, claimed: readonly ClaimedJob[], limit: number): void;
}

/** Where what has been claimed is not in the way. */
export const NO_MARKS: ClaimMarks = { from: () => 0, advance: () => undefined };

/**
 * Where the last claim of a level ended. InnoDB keeps the index entries of claimed jobs until purge removes them, and a claim
 * that starts at the beginning walks over them all; one that starts at the mark does not.
 */
export class LowWaterMarks implements ClaimMarks {
  private readonly marks = new Map<string, number>();
  private readonly lastFullScan = new Map<string, number>();

  from(level: ClaimedStretch, now: number): number {
    const key = keyOf(level);
    const mark = this.marks.get(key);
    if (mark !== undefined && now - (this.lastFullScan.get(key) ?? 0) < LONGEST_BLINDNESS) return mark;
    this.lastFullScan.set(key, now);
    return 0;
  }

  /** A claim that got less than it asked for has seen the end: the next one looks at everything again. */
  advance(level: ClaimedStretch, claimed: readonly ClaimedJob[], limit: number): void {
    const key = keyOf(level);
    const last = claimed.at(-1);
    if (last !== undefined && claimed.length >= limit) return void this.marks.set(key, last.due);
    this.marks.delete(key);
    // There may be a million keys, and most of them never come again.
    this.lastFullScan.delete(key);
  }
}

function keyOf({ type, priority, key = '' }: ClaimedStretch): string {
  return `${priority} ${type}\0${key}`;
}
