/** How long work counts as still coming after the last job was seen. */
const WARM = 2_000;
const GROWTH = 1.5;

/** `min` while jobs keep coming; then slower and slower up to `max`. */
export class PollCadence {
  private pause: number;
  private lastSeen = -Infinity;

  constructor(
    private readonly min: number,
    private readonly max: number,
  ) {
    this.pause = min;
  }

  sawJobs(now: number): void {
    this.lastSeen = now;
    this.pause = this.min;
  }

  /** Milliseconds until the next look, sooner when a job will be due before. */
  next(now: number, nextDueIn: number | undefined): number {
    if (now - this.lastSeen > WARM) this.pause = Math.min(this.pause * GROWTH, this.max);
    return Math.max(0, Math.min(this.pause, nextDueIn ?? Infinity));
  }
}
