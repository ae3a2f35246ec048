import type { EntityManager } from 'typeorm';
import { LockLostError } from '../errors/lock-lost.error.js';
import type { QueueEvents } from '../events/queue-events.js';
import { processTime } from '../support/pulse.js';
import type { LockTimes } from './lock-options.js';
import type { HeldLock, LockRepository } from './lock-repository.js';
import { watchedSignal } from './watched-signal.js';

/** Of `atMost`: the next renewal follows after this part of it, so that two may fail. */
const RENEWAL = 1 / 3;
/** Of `atMost`, up to a second: how much sooner than in the database the lock is over here, and how soon a failed renewal is tried again. */
const MARGIN = 1 / 10;
const LONGEST_MARGIN = 1_000;

export interface Holding extends HeldLock, LockTimes {
  readonly fence: number;
  /** When the statement that took it was sent, in `processTime()`. */
  readonly sent: number;
}

/**
 * One held lock: renews it, and knows without asking when it may have run out. What is measured begins before a statement is sent,
 * and ends with a margin: here the lock is over before it is in the database.
 */
export class LockKeeper {
  readonly signal: AbortSignal;
  private readonly controller = new AbortController();
  private readonly margin: number;
  private state: 'held' | 'released' | 'lost' = 'held';
  /** Both in `processTime()`. */
  private validUntil: number;
  private renewAt: number;
  private timer: NodeJS.Timeout | undefined;
  /** Transactions that have locked its row. */
  private holders = 0;
  private releasing: Promise<void> | undefined;

  constructor(
    private readonly holding: Holding,
    private readonly repository: LockRepository,
    private readonly events: QueueEvents,
    private readonly onEnd: (keeper: LockKeeper) => void,
  ) {
    this.margin = Math.min(holding.atMost * MARGIN, LONGEST_MARGIN);
    this.validUntil = this.endOf(holding.sent, holding.atMost);
    this.renewAt = this.nextAfter(holding.sent);
    this.signal = watchedSignal(this.controller.signal, () => this.look());
    this.plan();
  }

  /** It has run out before anybody could use it: the answer took too long. */
  get isLost(): boolean {
    this.look();
    return this.state === 'lost';
  }

  async extend(by: number): Promise<void> {
    const { name, fence } = this.holding;
    if (this.state === 'released') throw new LockLostError(name, fence, 'released');
    if (!this.isLost) await this.renewFor(by);
    this.signal.throwIfAborted();
  }

  /** Renews it if that is due: transactions that hold it and follow each other closely would leave no time for it. */
  async refresh(): Promise<void> {
    if (this.state === 'held' && this.holders === 0 && processTime() >= this.renewAt) await this.renew();
  }

  async holdIn<T>(manager: EntityManager, work: () => Promise<T>): Promise<T> {
    const { name, fence } = this.holding;
    if (this.state === 'released') throw new LockLostError(name, fence, 'released');
    this.signal.throwIfAborted();
    this.holders++;
    try {
      const isHeld = await this.repository.holdIn(manager, this.holding);
      if (!isHeld && this.state === 'held') this.lose('taken away');
      this.signal.throwIfAborted();
      const value = await work();
      this.signal.throwIfAborted();
      return value;
    } finally {
      this.holders--;
      this.plan();
    }
  }

  /** Never rejects: what cannot be released runs out. */
  release(): Promise<void> {
    this.releasing ??= this.letGo();
    return this.releasing;
  }

  /** Renews it no more, and leaves it to run out: the work may still go on. */
  abandon(): void {
    if (this.state === 'held') this.end('shutdown');
  }

  private async letGo(): Promise<void> {
    const wasHeld = this.state === 'held';
    if (wasHeld) this.state = 'released';
    clearTimeout(this.timer);
    try {
      // Also a lost one: a renewal that was late may have kept it in the database.
      await this.repository.release(this.holding, this.holding.atLeast);
    } catch (error) {
      if (wasHeld) this.events.databaseError(`the release of lock '${this.holding.name}'`, error);
    } finally {
      this.onEnd(this);
    }
  }

  private plan(): void {
    clearTimeout(this.timer);
    if (this.state !== 'held') return;
    // A renewal would wait for the transaction that has locked the row, and the heartbeat behind it.
    const next = this.holders > 0 ? this.validUntil : Math.min(this.renewAt, this.validUntil);
    this.timer = setTimeout(() => this.tick(), Math.max(0, next - processTime())).unref();
  }

  private tick(): void {
    if (this.isLost) return;
    if (processTime() >= this.renewAt && this.holders === 0) void this.renew();
    this.plan();
  }

  private async renew(): Promise<void> {
    // Planned now: the next one does not wait for the answer of this one, which may never come.
    this.renewAt = this.nextAfter(processTime());
    try {
      await this.renewFor(this.holding.atMost);
    } catch (error) {
      if (this.state !== 'held') return;
      this.events.databaseError(`the renewal of lock '${this.holding.name}'`, error);
      this.renewAt = Math.min(this.renewAt, processTime() + this.margin);
    }
    this.plan();
  }

  private async renewFor(duration: number): Promise<void> {
    const sent = processTime();
    if (await this.repository.renew(this.holding, duration)) {
      this.validUntil = Math.max(this.validUntil, this.endOf(sent, duration));
    } else if (this.state === 'held') {
      this.lose('taken away');
    }
  }

  /** After a pause of the whole process no timer has fired yet: the clock knows. */
  private look(): void {
    if (this.state === 'held' && processTime() >= this.validUntil) this.lose('not renewed');
  }

  private lose(why: 'taken away' | 'not renewed'): void {
    const { name, fence } = this.holding;
    this.end(why);
    this.events.emit({ name: 'lock.lost', lock: name, fence });
  }

  private end(why: 'taken away' | 'not renewed' | 'shutdown'): void {
    const { name, fence } = this.holding;
    this.state = 'lost';
    clearTimeout(this.timer);
    this.controller.abort(new LockLostError(name, fence, why));
    this.onEnd(this);
  }

  private endOf(sent: number, duration: number): number {
    return sent + duration - this.margin;
  }

  private nextAfter(sent: number): number {
    return sent + this.holding.atMost * RENEWAL;
  }
}
