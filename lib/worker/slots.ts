import type { JobHandlerRegistry } from '../handler/job-handler.registry.js';
import type { ActiveJob } from './active-job.js';

/** Who runs in this process, and how many more could: of each type, and of all together. */
export class Slots {
  private readonly taken = new Set<ActiveJob>();
  private readonly perType = new Map<string, number>();

  constructor(
    private readonly registry: JobHandlerRegistry,
    private readonly most: number,
  ) {}

  get running(): readonly ActiveJob[] {
    return [...this.taken];
  }

  get count(): number {
    return this.taken.size;
  }

  has(active: ActiveJob): boolean {
    return this.taken.has(active);
  }

  takenBy(type: string): number {
    return this.perType.get(type) ?? 0;
  }

  free(type: string): number {
    const ofType = this.registry.get(type)?.options.concurrency ?? 0;
    return Math.max(0, Math.min(this.most - this.taken.size, ofType - this.takenBy(type)));
  }

  /** The type itself may have more, but the process has no slot left. */
  isFullOfOthers(type: string): boolean {
    const ofType = this.registry.get(type)?.options.concurrency ?? 0;
    return this.taken.size >= this.most && this.takenBy(type) < ofType;
  }

  take(active: ActiveJob): void {
    this.taken.add(active);
    this.perType.set(active.job.type, this.takenBy(active.job.type) + 1);
  }

  leave(active: ActiveJob): void {
    this.taken.delete(active);
    this.perType.set(active.job.type, this.takenBy(active.job.type) - 1);
  }
}
