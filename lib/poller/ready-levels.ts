import type { JobLevel } from '../job/job.js';

/** The levels that are thought to hold waiting jobs. Types take turns; within a type the highest priority goes first. */
export class ReadyLevels {
  private readonly prioritiesByType = new Map<string, Set<number>>();

  private paused: ReadonlySet<string> = new Set();

  /** These types, and no others, are left alone. */
  pause(types: readonly string[]): void {
    this.paused = new Set(types);
    for (const type of types) this.prioritiesByType.delete(type);
  }

  /** These types, and no others, are of interest. */
  keep(types: readonly string[]): void {
    for (const type of this.prioritiesByType.keys()) if (!types.includes(type)) this.prioritiesByType.delete(type);
  }

  /** Answers whether it is of interest. */
  add({ type, priority }: JobLevel): boolean {
    if (this.paused.has(type)) return false;
    const priorities = this.prioritiesByType.get(type);
    if (priorities === undefined) this.prioritiesByType.set(type, new Set([priority]));
    else priorities.add(priority);
    return true;
  }

  drained({ type, priority }: JobLevel): void {
    const priorities = this.prioritiesByType.get(type);
    priorities?.delete(priority);
    if (priorities?.size === 0) this.prioritiesByType.delete(type);
  }

  get isEmpty(): boolean {
    return this.prioritiesByType.size === 0;
  }

  /** The best level of each type, the type that has waited longest for its turn first. */
  next(): JobLevel[] {
    return [...this.prioritiesByType].map(([type, priorities]) => ({ type, priority: Math.max(...priorities) }));
  }

  /** The type has had its turn: to the back. */
  tookTurn(type: string): void {
    const priorities = this.prioritiesByType.get(type);
    if (priorities === undefined) return;
    this.prioritiesByType.delete(type);
    this.prioritiesByType.set(type, priorities);
  }
}
