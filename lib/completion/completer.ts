import { Injectable } from '@nestjs/common';
import { QueueEvents } from '../events/queue-events.js';
import type { JobToken } from '../job/job.js';
import type { Settlement } from '../job/settlement.js';
import { NodeLease } from '../node/node-lease.js';
import { JobRepository } from '../repository/job-repository.js';

const LARGEST_BATCH = 200;
const LARGEST_BATCH_BYTES = 4 * 1024 * 1024;
const LONGEST_AGE = 2;
const FULL = 1_000;
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 1_000;

/**
 * Writes the ends of claims in batches: as soon as 200 are there, or 2 ms after the first. One flush is under way at a time, and
 * what comes in meanwhile makes the next one. What cannot be written is kept and tried again: a result is never thrown away
 * because the database was.
 */
@Injectable()
export class Completer {
  private pending: Settlement[] = [];
  private underWay: readonly Settlement[] = [];
  private flushing: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private largest = LARGEST_BATCH;
  private pause = 0;
  private stopping = false;
  private readonly listeners = new Set<() => void>();

  constructor(
    private readonly repository: JobRepository,
    private readonly lease: NodeLease,
    private readonly events: QueueEvents,
  ) {}

  /** Back-pressure: no more jobs should be started until some of their predecessors have been written. */
  get isFull(): boolean {
    return this.pending.length + this.underWay.length >= FULL;
  }

  /** Everything that has ended here is in the database. */
  get isEmpty(): boolean {
    return this.pending.length + this.underWay.length === 0;
  }

  /** Whether the end of this claim is known here and not in the database yet. */
  has({ id, fence }: JobToken): boolean {
    const isIt = (settlement: Settlement) => settlement.id === id && settlement.fence === fence;
    return this.pending.some(isIt) || this.underWay.some(isIt);
  }

  /** `listener` is called after each batch. */
  onFlush(listener: () => void): void {
    this.listeners.add(listener);
  }

  settle(settlement: Settlement): void {
    this.pending.push(settlement);
    this.schedule();
  }

  start(): void {
    this.stopping = false;
  }

  /** Writes what there is, for at most `patience` milliseconds. What is left then is rescued by other nodes. */
  async stop(patience = 5_000): Promise<void> {
    this.stopping = true;
    const giveUpAt = performance.now() + patience;
    while (!this.isEmpty && performance.now() < giveUpAt) {
      clearTimeout(this.timer);
      this.timer = undefined;
      await (this.flushing ?? this.flush());
    }
    clearTimeout(this.timer);
  }

  private schedule(): void {
    if (this.flushing !== undefined) return;
    if (this.pending.length >= this.largest && this.pause === 0) return void this.flush();
    this.timer ??= setTimeout(() => void this.flush(), Math.max(LONGEST_AGE, this.pause));
  }

  private flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.flushing ??= this.write().finally(() => {
      this.flushing = undefined;
      for (const listener of this.listeners) listener();
      if (this.pending.length > 0 && !this.stopping) this.schedule();
    });
    return this.flushing;
  }

  private async write(): Promise<void> {
    const batch = this.takeBatch();
    if (batch.length === 0) return;
    this.underWay = batch;
    try {
      const lost = await this.repository.settle(batch, this.lease.name);
      this.tellLost(batch, lost);
      this.largest = LARGEST_BATCH;
      this.pause = 0;
    } catch (error) {
      this.keep(batch, error);
    } finally {
      this.underWay = [];
    }
  }

  /** One by one from now on, the failed ones last: should one of them be at fault, it cannot hold up the others. */
  private keep(batch: readonly Settlement[], error: unknown): void {
    this.pending.push(...batch);
    this.largest = 1;
    this.pause = Math.min(Math.max(this.pause * 2, FIRST_PAUSE), LONGEST_PAUSE);
    this.events.databaseError('completion', error);
  }

  private takeBatch(): Settlement[] {
    let bytes = 0;
    let count = 0;
    for (const { result } of this.pending) {
      bytes += result?.length ?? 0;
      if (count === this.largest || (count > 0 && bytes > LARGEST_BATCH_BYTES)) break;
      count++;
    }
    return this.pending.splice(0, count);
  }

  private tellLost(batch: readonly Settlement[], lost: readonly string[]): void {
    for (const id of lost) {
      const type = batch.find((settlement) => settlement.id === id)?.type ?? '';
      this.events.emit({ name: 'job.lost', job: { id, type } });
    }
  }
}
