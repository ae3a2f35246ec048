import type { JobLevel } from '../job/job.js';
import { MOST_LEVELS } from './hint.js';

/** What is to be sent next: bounded, however many jobs are enqueued meanwhile. */
export class HintOutbox {
  private levels = new Map<string, JobLevel>();
  private everything = false;

  get isEmpty(): boolean {
    return this.levels.size === 0 && !this.everything;
  }

  /** No levels: something has changed. */
  add(levels: readonly JobLevel[]): void {
    if (levels.length === 0) this.everything = true;
    for (const level of levels) this.levels.set(`${level.priority} ${level.type}`, level);
    if (this.levels.size > MOST_LEVELS) this.everything = true;
    if (this.everything) this.levels.clear();
  }

  /** All of it; it is empty then. */
  take(): JobLevel[] {
    const levels = [...this.levels.values()];
    this.levels.clear();
    this.everything = false;
    return levels;
  }
}
