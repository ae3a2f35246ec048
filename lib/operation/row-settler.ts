import type { QueueEvents } from '../events/queue-events.js';
import type { RowSettlement } from '../repository/operation-repository.js';
import { messageOf } from '../support/message-of.js';
import { PollLoop } from '../support/poll-loop.js';

const LARGEST_BATCH = 500;
/** What comes in within this time after the first is written with it. */
const LONGEST_AGE = 2;
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 30_000;
const IDLE = 60_000;

type Write = (batch: readonly RowSettlement[]) => Promise<void>;

/**
 * Writes the ends of attempts in batches. What could not be written together is tried one by one, because one row may keep out all
 * others; what cannot be written alone is kept, and tried again less and less often: it is never handled again only because its end
 * could not be written.
 */
export class RowSettler {
  private pending: RowSettlement[] = [];
  private refused: RowSettlement[] = [];
  private readonly loop: PollLoop;
  private pause = FIRST_PAUSE;
  private retryAt = 0;
  /** On their way into the database. */
  private writing = 0;

  constructor(
    private readonly operation: string,
    private readonly write: Write,
    private readonly onWritten: () => void,
    private readonly events: QueueEvents,
  ) {
    this.loop = new PollLoop(
      () => this.step(),
      () => FIRST_PAUSE,
    );
  }

  get size(): number {
    return this.pending.length + this.refused.length + this.writing;
  }

  start(): void {
    this.loop.start();
  }

  add(settlement: RowSettlement): void {
    this.pending.push(settlement);
    if (this.pending.length === 1) setTimeout(() => this.loop.wake(), LONGEST_AGE);
    else if (this.pending.length === LARGEST_BATCH) this.loop.wake();
  }

  /** Writes what there is once more; what is left then is handled again by whoever has the lock next. */
  async stop(): Promise<void> {
    await this.loop.stop();
    while (this.pending.length > 0) await this.writeBatch();
    await this.writeRefused();
  }

  /** Nothing of it counts any more. */
  async drop(): Promise<void> {
    this.pending = [];
    this.refused = [];
    await this.loop.stop();
  }

  private async step(): Promise<number> {
    if (this.pending.length > 0) await this.writeBatch();
    if (this.refused.length > 0 && performance.now() >= this.retryAt) await this.writeRefused();
    if (this.pending.length > 0) return 0;
    return this.refused.length > 0 ? Math.max(0, this.retryAt - performance.now()) : IDLE;
  }

  private async writeBatch(): Promise<void> {
    const batch = this.pending.splice(0, LARGEST_BATCH);
    if (await this.wasWritten(batch)) return;
    this.refused.push(...batch);
    if (batch.length > 1) await this.writeRefused();
    else this.wait();
  }

  private async writeRefused(): Promise<void> {
    const left: RowSettlement[] = [];
    for (const one of this.refused) if (!(await this.wasWritten([one]))) left.push(one);
    this.refused = left;
    if (left.length > 0) this.wait();
    else this.pause = FIRST_PAUSE;
  }

  private wait(): void {
    this.retryAt = performance.now() + this.pause;
    this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
  }

  private async wasWritten(batch: readonly RowSettlement[]): Promise<boolean> {
    this.writing = batch.length;
    try {
      await this.write(batch);
    } catch (error) {
      this.events.emit({
        name: 'operation.failed',
        operation: this.operation,
        during: 'update',
        rows: batch.length,
        error: messageOf(error),
      });
      return false;
    } finally {
      this.writing = 0;
    }
    this.onWritten();
    return true;
  }
}
