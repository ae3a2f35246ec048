import type { ActiveJob } from './active-job.js';

/** Milliseconds. */
export const LONGEST_LONER_WAIT = 60_000;

/**
 * Jobs on their last chance, which run alone: when every slot is free and every result is written, because a crash would be held
 * against whoever has no result yet; and nothing else starts before such a job has ended.
 */
export class Loners {
  private readonly waiting: ActiveJob[] = [];
  private running: ActiveJob | undefined;
  private timer: NodeJS.Timeout | undefined;

  /** `giveUp` is handed what has waited for too long. */
  constructor(private readonly giveUp: (jobs: readonly ActiveJob[]) => void) {}

  get size(): number {
    return this.waiting.length;
  }

  get jobs(): readonly ActiveJob[] {
    return this.waiting;
  }

  get isRunning(): boolean {
    return this.running !== undefined;
  }

  /** Whether others must not start: one is running, or waits until all of them have ended. */
  get areWaiting(): boolean {
    return this.isRunning || this.waiting.length > 0;
  }

  /** Where those that wait come from, nothing is left to be written down. */
  get homesAreEmpty(): boolean {
    return this.waiting.every(({ home }) => home.isEmpty);
  }

  add(active: ActiveJob): void {
    this.waiting.push(active);
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.giveUp(this.waiting.splice(0));
    }, LONGEST_LONER_WAIT);
  }

  /** Answers the first one, which is running now. */
  start(): ActiveJob | undefined {
    this.running = this.waiting.shift();
    this.stopTimerUnlessNeeded();
    return this.running;
  }

  left(active: ActiveJob): void {
    if (this.running === active) this.running = undefined;
  }

  remove(active: ActiveJob): void {
    const at = this.waiting.indexOf(active);
    if (at >= 0) this.waiting.splice(at, 1);
    this.stopTimerUnlessNeeded();
  }

  takeAll(): ActiveJob[] {
    const all = this.waiting.splice(0);
    this.stopTimerUnlessNeeded();
    return all;
  }

  private stopTimerUnlessNeeded(): void {
    if (this.waiting.length > 0) return;
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
