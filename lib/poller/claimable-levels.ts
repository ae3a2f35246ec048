import type { JobHandlerRegistry } from '../handler/job-handler.registry.js';
import type { JobLevel } from '../job/job.js';
import type { ClaimAnswer } from '../repository/job-repository.js';
import { HeldBack } from './held-back.js';
import { ReadyLevels } from './ready-levels.js';

/** What may be claimed: the levels that are thought to hold waiting jobs, but for the types that a limit holds back. */
export class ClaimableLevels {
  private readonly ready = new ReadyLevels();
  private readonly held: HeldBack;
  /** Types of which a look has found something, or somebody has told, since their last claim. */
  private readonly news = new Set<string>();

  /** `pollMin`: milliseconds. */
  constructor(
    private readonly registry: JobHandlerRegistry,
    private readonly pollMin: number,
  ) {
    this.held = new HeldBack(pollMin);
  }

  get isEmpty(): boolean {
    return this.ready.isEmpty;
  }

  next(): JobLevel[] {
    return this.ready.next();
  }

  pause(types: readonly string[]): void {
    this.ready.pause(types);
  }

  /** The types of this process have changed: the limits may have, too. */
  typesChanged(): void {
    this.ready.keep(this.registry.types);
    this.held.release(() => true);
  }

  /** What a look has found, the same for every node: each begins its turns with another one, so that they do not claim the same jobs. */
  found(levels: readonly JobLevel[]): void {
    const first = Math.floor(Math.random() * levels.length);
    for (const level of [...levels.slice(first), ...levels.slice(0, first)])
      if (this.add(level)) this.news.add(level.type);
  }

  /** Somebody has told that jobs of the level wait. Answers whether that changes anything here. */
  hinted(level: JobLevel): boolean {
    const isNews = this.held.has(level.type) ? this.held.hint(level.type) : this.add(level);
    // Also for whoever is let be for a known time: what has come may be of a key that the last claim has not seen.
    this.news.add(level.type);
    return isNews;
  }

  /** Jobs of these types have ended here: their slots are free, and this process knows it first. Answers whether any was waited for. */
  ended(types: readonly string[]): boolean {
    const limited = types.filter((type) => this.isLimited(type));
    const freed = limited.length === 0 ? [] : this.held.free(limited);
    for (const level of freed) this.add(level);
    return freed.length > 0;
  }

  /** Those that a limit may let go on again. Answers whether there are any. */
  retryHeldBack(now: number): boolean {
    const retried = this.held.release((_, retryAt) => retryAt <= now);
    for (const level of retried) this.add(level);
    return retried.length > 0;
  }

  /** Milliseconds until then, as far as that is known. */
  untilRetry(now: number): number {
    return this.held.nextIn(now) ?? Infinity;
  }

  /** A claim of it begins. Answers whether nothing is known to have come since the last one. */
  claiming({ type }: JobLevel): boolean {
    this.held.claims(type);
    return !this.news.delete(type);
  }

  claimed(level: JobLevel, { jobs, left, freeIn }: ClaimAnswer): void {
    this.ready.tookTurn(level.type);
    // What was told of while it was under way may have been committed too late for it to see.
    const isOver = left === 'none' && !this.news.has(level.type);
    const isHeld = left === 'held back' || (left === 'some' && jobs.length === 0);
    if (isOver || isHeld) this.ready.drained(level);
    if (isHeld) this.hold(level, jobs.length, left === 'some' ? this.pollMin : freeIn);
  }

  private hold(level: JobLevel, claimed: number, freeIn: number | undefined): void {
    this.held.hold(level, performance.now(), { claimed, freeIn });
    if (this.news.has(level.type)) this.held.hint(level.type);
  }

  /** Of a type with limits the priority is of no importance: its claim finds the best of each key. Its handler may be gone. */
  private add(level: JobLevel): boolean {
    if (this.held.has(level.type) || this.registry.get(level.type) === undefined) return false;
    return this.ready.add(this.isLimited(level.type) ? { ...level, priority: 0 } : level);
  }

  private isLimited(type: string): boolean {
    return this.registry.limitsOf(type) !== undefined;
  }
}
