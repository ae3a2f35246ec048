import { Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { UnwritableError } from '../errors/unwritable.error.js';
import { QueueEvents } from '../events/queue-events.js';
import type { JobToken } from '../job/job.js';
import type { Settlement } from '../job/settlement.js';
import { NodeLease } from '../node/node-lease.js';
import { JobRepository } from '../repository/job-repository.js';
import { SettlementRetrier } from './settlement-retrier.js';
import { takeBatch } from './take-batch.js';

const LARGEST_BATCH = 500;
const LONGEST_AGE = 2;
const FULL = 3_000;
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 1_000;

/**
 * Writes the ends of claims in batches: as soon as 500 are there, or 2 ms after the first. One batch is under way at a time, and
 * what comes in meanwhile makes the next one. What cannot be written is kept and tried again: a result is never thrown away
 * because the database was.
 */
@Injectable()
export class Completer {
  private readonly pending: Settlement[] = [];
  private underWay: readonly Settlement[] = [];
  private flushing: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private pause = 0;
  private stopping = false;
  private readonly listeners = new Set<(written: readonly Settlement[]) => void>();
  private readonly retrier: SettlementRetrier;

  constructor(
    private readonly repository: JobRepository,
    private readonly lease: NodeLease,
    private readonly events: QueueEvents,
  ) {
    this.retrier = new SettlementRetrier(
      async (settlement) => {
        await this.settleBatch([settlement]);
        this.tell([settlement]);
      },
      (error) => this.events.databaseError('completion', error),
    );
  }

  /** Ends of claims that are known here and not in the database yet. */
  get size(): number {
    return this.pending.length + this.underWay.length + this.retrier.settlements.length;
  }

  /** Of one type, those that are to be written next: in the database these jobs run still. */
  unwritten(type: string): number {
    const isOfType = (settlement: Settlement) => settlement.type === type;
    return this.pending.filter(isOfType).length + this.underWay.filter(isOfType).length;
  }

  get isEmpty(): boolean {
    return this.size === 0;
  }

  /** Back-pressure: no more jobs should be started until some of their predecessors have been written. */
  get isFull(): boolean {
    return this.size >= FULL;
  }

  has({ id, fence }: JobToken): boolean {
    const isIt = (settlement: Settlement) => settlement.id === id && settlement.fence === fence;
    return [this.pending, this.underWay, this.retrier.settlements].some((list) => list.some(isIt));
  }

  /** `listener` is called after each batch. */
  onFlush(listener: (written: readonly Settlement[]) => void): void {
    this.listeners.add(listener);
  }

  settle(settlement: Settlement): void {
    this.pending.push(settlement);
    this.schedule();
  }

  /** A claim has been ended elsewhere, in a transaction that has committed. */
  wasEnded(settlement: Settlement): void {
    this.tell([settlement]);
  }

  start(): void {
    this.stopping = false;
  }

  /** Writes what there is, for at most `patience` milliseconds. What is left then is rescued by other nodes. */
  async stop(patience = 5_000): Promise<void> {
    this.stopping = true;
    const giveUpAt = performance.now() + patience;
    while (!this.isEmpty && performance.now() < giveUpAt) {
      const left = giveUpAt - performance.now();
      await Promise.race([this.flushing ?? this.flush(), sleep(left, undefined, { ref: false })]);
      if (!this.isEmpty) await sleep(Math.min(Math.max(this.pause, LONGEST_AGE), left));
    }
    clearTimeout(this.timer);
    await Promise.race([this.retrier.stop(), sleep(patience, undefined, { ref: false })]);
  }

  private schedule(): void {
    if (this.flushing !== undefined) return;
    if (this.pending.length >= LARGEST_BATCH && this.pause === 0) return void this.flush();
    this.timer ??= setTimeout(() => void this.flush(), Math.max(LONGEST_AGE, this.pause));
  }

  private flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.flushing ??= this.write().then((written) => {
      this.flushing = undefined;
      this.tell(written);
      if (this.pending.length > 0 && !this.stopping) this.schedule();
      return undefined;
    });
    return this.flushing;
  }

  /** Never throws: what cannot be written is kept. */
  private async write(): Promise<readonly Settlement[]> {
    const batch = takeBatch(this.pending, LARGEST_BATCH);
    if (batch.length === 0) return batch;
    this.underWay = batch;
    try {
      await this.settleBatch(batch);
      this.pause = 0;
    } catch (error) {
      this.keep(batch, error);
      return [];
    } finally {
      this.underWay = [];
    }
    return batch;
  }

  private async settleBatch(batch: readonly Settlement[]): Promise<void> {
    const lost = await this.repository.settle(batch, this.lease.name);
    for (const id of lost) {
      const { type = '', fence } = batch.find((settlement) => settlement.id === id) ?? {};
      this.events.emit({ name: 'job.lost', job: { id, type, ...(fence !== undefined && { fence }) } });
    }
  }

  private keep(batch: readonly Settlement[], error: unknown): void {
    this.events.databaseError('completion', error);
    if (error instanceof UnwritableError) return this.retrier.add(batch);
    this.pending.unshift(...batch);
    this.pause = Math.min(Math.max(this.pause * 2, FIRST_PAUSE), LONGEST_PAUSE);
  }

  private tell(written: readonly Settlement[]): void {
    for (const listener of this.listeners) listener(written);
  }
}
