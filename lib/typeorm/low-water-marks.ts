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

interface Mark {
  readonly due: number;
  readonly scannedAt: number;
}

/**
 * Where the last claim of a level ended. InnoDB keeps the index entries of claimed jobs until purge removes them, and a claim
 * that starts at the beginning walks over them all; one that starts at the mark does not.
 */
export class LowWaterMarks implements ClaimMarks {
  /** In the order of their full scans. */
  private readonly marks = new Map<string, Mark>();

  get size(): number {
    return this.marks.size;
  }

  from(level: ClaimedStretch, now: number): number {
    const key = keyOf(level);
    const mark = this.marks.get(key);
    if (mark !== undefined && isOfUse(mark, now)) return mark.due;
    this.forgetOld(now);
    this.marks.delete(key);
    this.marks.set(key, { due: 0, scannedAt: now });
    return 0;
  }

  /** A claim that got less than it asked for has seen the end: the next one looks at everything again. */
  advance(level: ClaimedStretch, claimed: readonly ClaimedJob[], limit: number): void {
    const key = keyOf(level);
    const mark = this.marks.get(key);
    const last = claimed.at(-1);
    if (mark !== undefined && last !== undefined && claimed.length >= limit)
      this.marks.set(key, { ...mark, due: last.due });
    else this.marks.delete(key);
  }

  /** There may be a million keys, and most of them never come again. */
  private forgetOld(now: number): void {
    for (const [key, mark] of this.marks) {
      if (isOfUse(mark, now)) return;
      this.marks.delete(key);
    }
  }
}

function isOfUse({ scannedAt }: Mark, now: number): boolean {
  return now - scannedAt < LONGEST_BLINDNESS;
}

function keyOf({ type, priority, key = '' }: ClaimedStretch): string {
  return `${priority} ${type}\0${key}`;
}
