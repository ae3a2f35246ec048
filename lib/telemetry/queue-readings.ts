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

/**
 * Reads the database for whoever asks: one reading at a time, kept for a while, for all who ask meanwhile. `undefined`: the database did
 * not answer, and old numbers would be taken for those of now.
 */
export class QueueReadings {
  private reading: Promise<QueueReading | undefined> | undefined;
  private kept: QueueReading | undefined;
  private keptUntil = -Infinity;

  constructor(
    private readonly read: ReadQueue,
    private readonly onError: (error: unknown) => void,
  ) {}

  async latest(): Promise<QueueReading | undefined> {
    if (performance.now() < this.keptUntil) return this.kept;
    this.reading ??= this.readOnce();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), PATIENCE)));
    try {
      return await Promise.race([this.reading, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  private async readOnce(): Promise<QueueReading | undefined> {
    const began = performance.now();
    try {
      this.kept = await this.read();
    } catch (error) {
      this.kept = undefined;
      this.onError(error);
    }
    const now = performance.now();
    this.keptUntil = now + Math.max(KEPT_FOR, (now - began) * KEPT_TIMES);
    this.reading = undefined;
    return this.kept;
  }
}
