import type { NodeStatus, OldestDueJob } from '../repository/inspection-repository.js';
import type { JobCount } from '../repository/job-repository.js';

/** What the database says about the queue, for all processes together. */
export interface QueueReading {
  readonly counts: readonly JobCount[];
  readonly oldestDue: readonly OldestDueJob[];
  readonly nodes: readonly NodeStatus[];
  readonly pausedTypes: readonly string[];
  readonly unhandledTypes: readonly string[];
}

export type ReadQueue = () => Promise<QueueReading>;

/** Milliseconds for which a reading is kept at least. */
const KEPT_FOR = 5_000;
/** How many times as long as it took it is kept: to look costs a twentieth of one connection at the most. */
const KEPT_TIMES = 20;
/** Milliseconds that one who asks waits: a database that hangs must not take `/metrics` with it. */
const PATIENCE = 4_000;

/** Milliseconds that a reading may take before the database counts as away. */
const SLOW_FOR = 60_000;
/** How many times as long as the last one it may take, when that was a long one. */
const SLOW_TIMES = 3;

/**
 * Reads the database for whoever asks: one reading at a time, kept for a while, for all who ask meanwhile. The last one stands while
 * the next one is slow. `undefined`: the database did not answer, and old numbers would be taken for those of now. `null`: the first one is
 * slow.
 */
export class QueueReadings {
  private reading: Promise<QueueReading | undefined | null> | undefined;
  private kept: QueueReading | undefined | null = null;
  private keptUntil = -Infinity;
  private slowUntil = -Infinity;
  private took = 0;

  constructor(
    private readonly read: ReadQueue,
    private readonly onError: (error: unknown) => void,
  ) {}

  async latest(): Promise<QueueReading | undefined | null> {
    if (performance.now() < this.keptUntil) return this.kept;
    this.reading ??= this.readOnce();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, PATIENCE)));
    try {
      return await Promise.race([this.reading, late.then(() => this.meanwhile())]);
    } finally {
      clearTimeout(timer);
    }
  }

  private meanwhile(): QueueReading | undefined | null {
    return performance.now() < this.slowUntil ? this.kept : undefined;
  }

  private async readOnce(): Promise<QueueReading | undefined | null> {
    const began = performance.now();
    this.slowUntil = began + Math.max(SLOW_FOR, this.took * SLOW_TIMES);
    try {
      this.kept = await this.read();
    } catch (error) {
      this.kept = undefined;
      this.onError(error);
    }
    const now = performance.now();
    this.took = now - began;
    this.keptUntil = now + Math.max(KEPT_FOR, this.took * KEPT_TIMES);
    this.reading = undefined;
    return this.kept;
  }
}
