import { toldOf, type QueueEvents } from '../events/queue-events.js';
import type { RowSettlement } from '../repository/operation-repository.js';
import { PollLoop } from '../support/poll-loop.js';
import { within } from '../support/within.js';

const LARGEST_BATCH = 500;
/** What comes in within this time after the first is written with it. */
const LONGEST_AGE = 2;
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 30_000;
const IDLE = 60_000;
/** So many failures in a row are no single rows': the others would only fail too. */
const MOST_FAILURES = 3;
/** What is not written by then at a stop is handled again by whoever has the lock next. */
const PATIENCE = 5_000;

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
  private isWriting = false;

  constructor(
    private readonly operation: string,
    private readonly write: Write,
    private readonly events: QueueEvents,
    private readonly onWritten: () => void,
  ) {
    this.loop = new PollLoop(
      () => this.step(),
      () => FIRST_PAUSE,
    );
  }

  /** Whether there is nothing to be written but what has failed before. */
  get isIdle(): boolean {
    return this.pending.length === 0 && !this.isWriting;
  }

  start(): void {
    this.loop.start();
  }

  add(settlement: RowSettlement): void {
    this.pending.push(settlement);
    if (this.pending.length === 1) setTimeout(() => this.loop.wake(), LONGEST_AGE);
    else if (this.pending.length === LARGEST_BATCH) this.loop.wake();
  }

  /** Writes what there is, once more. */
  stop(): Promise<void> {
    const late = () =>
      new Error(`${this.pending.length + this.refused.length} ends were not written within ${PATIENCE} ms`);
    return within(PATIENCE, () => this.writeAll(), late);
  }

  /** Nothing of it counts any more. */
  async drop(): Promise<void> {
    this.pending = [];
    this.refused = [];
    await this.loop.stop();
  }

  private async writeAll(): Promise<void> {
    await this.loop.stop();
    while (this.pending.length > 0) await this.writeBatch();
    await this.writeRefused();
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
    this.pause = FIRST_PAUSE;
    if (batch.length > 1) await this.writeRefused();
    else this.wait();
  }

  /** Rows that fail go to the back, so that others come first the next time. */
  private async writeRefused(): Promise<void> {
    const all = this.refused.splice(0);
    let failures = 0;
    while (all.length > 0 && failures < MOST_FAILURES) {
      const [one] = all.splice(0, 1) as [RowSettlement];
      if (await this.wasWritten([one])) {
        failures = 0;
        continue;
      }
      failures++;
      this.refused.push(one);
    }
    this.refused.unshift(...all);
    if (this.refused.length > 0) this.wait();
    else this.pause = FIRST_PAUSE;
  }

  private wait(): void {
    this.retryAt = performance.now() + this.pause;
    this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
  }

  private async wasWritten(batch: readonly RowSettlement[]): Promise<boolean> {
    const isWritten = await this.tryToWrite(batch);
    if (isWritten) this.onWritten();
    return isWritten;
  }

  private async tryToWrite(batch: readonly RowSettlement[]): Promise<boolean> {
    this.isWriting = true;
    try {
      await this.write(batch);
    } catch (error) {
      const { operation } = this;
      const facts = { operation, during: 'update', rows: batch.length, ...toldOf(error) } as const;
      this.events.emit({ name: 'operation.failed', ...facts });
      return false;
    } finally {
      this.isWriting = false;
    }
    return true;
  }
}
