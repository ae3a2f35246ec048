import type { ActiveJob } from './active-job.js';

interface Waiting {
  readonly active: ActiveJob;
  readonly since: number;
}

/** Claimed jobs that wait for a slot: first come, first served within a type; types take turns. */
export class JobBuffer {
  private readonly byType = new Map<string, Waiting[]>();
  size = 0;

  get jobs(): ActiveJob[] {
    return [...this.byType.values()].flatMap((list) => list.map(({ active }) => active));
  }

  count(type: string): number {
    return this.byType.get(type)?.length ?? 0;
  }

  add(active: ActiveJob, since: number): void {
    const { type } = active.job;
    const list = this.byType.get(type);
    if (list === undefined) this.byType.set(type, [{ active, since }]);
    else list.push({ active, since });
    this.size++;
  }

  /** The next job whose type `isFree`; its type goes to the back. */
  take(isFree: (type: string) => boolean): ActiveJob | undefined {
    for (const [type, list] of this.byType) {
      if (!isFree(type)) continue;
      const first = list.shift();
      this.byType.delete(type);
      if (list.length > 0) this.byType.set(type, list);
      if (first === undefined) continue;
      this.size--;
      return first.active;
    }
    return undefined;
  }

  /** All of a type. */
  takeAll(type: string): ActiveJob[] {
    const list = this.byType.get(type) ?? [];
    this.byType.delete(type);
    this.size -= list.length;
    return list.map(({ active }) => active);
  }

  clear(): void {
    this.byType.clear();
    this.size = 0;
  }

  remove(active: ActiveJob): void {
    const { type } = active.job;
    const kept = (this.byType.get(type) ?? []).filter((waiting) => waiting.active !== active);
    this.size -= this.count(type) - kept.length;
    if (kept.length > 0) this.byType.set(type, kept);
    else this.byType.delete(type);
  }

  /** The types whose first job has waited since before `time`. */
  waitingSince(time: number): string[] {
    return [...this.byType].filter(([, [first]]) => first !== undefined && first.since < time).map(([type]) => type);
  }
}
