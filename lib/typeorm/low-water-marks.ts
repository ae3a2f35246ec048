import type { ClaimedJob, JobLevel } from '../job/job.js';

/** Jobs that come in behind a mark (an earlier due time committed later) are found within this time. */
const LONGEST_BLINDNESS = 1_000;

/**
 * Where the last claim of a level ended. InnoDB keeps the index entries of claimed jobs until purge removes them, and a claim
 * that starts at the beginning walks over them all; one that starts at the mark does not.
 */
export class LowWaterMarks {
  private readonly marks = new Map<string, number>();
  private readonly lastFullScan = new Map<string, number>();

  /** The due time to start from; 0 is a full scan. */
  from(level: JobLevel, now: number): number {
    const key = keyOf(level);
    const mark = this.marks.get(key);
    if (mark !== undefined && now - (this.lastFullScan.get(key) ?? 0) < LONGEST_BLINDNESS) return mark;
    this.lastFullScan.set(key, now);
    return 0;
  }

  /** A claim that got less than it asked for has seen the end: the next one looks at everything again. */
  advance(level: JobLevel, claimed: readonly ClaimedJob[], limit: number): void {
    const last = claimed.at(-1);
    if (last === undefined || claimed.length < limit) this.marks.delete(keyOf(level));
    else this.marks.set(keyOf(level), last.due);
  }
}

function keyOf({ type, priority }: JobLevel): string {
  return `${priority} ${type}`;
}
