import { InvalidOptionError } from '../errors/invalid-option.error.js';
import { parseDuration, type Duration } from '../support/duration.js';

/**
 * The clock that stands for that of the database: it decides what is due. It goes with `Date.now()`, also with one that a test framework
 * has faked, and may be moved; once it is set, it stands still.
 *
 * @publicApi
 */
export class TestClock {
  private ahead = 0;
  private stopped: number | undefined;
  private readonly listeners = new Set<() => void>();

  /** @internal */
  constructor(now?: Date) {
    if (now !== undefined) this.stopped = readDate('usePersistentQueueTesting().now', now);
  }

  get now(): Date {
    return new Date(this.time);
  }

  /** From now on it stands still at this time. Nothing runs by it: that is what `drain()` is for. */
  set(now: Date): void {
    this.stopped = readDate('clock.set()', now);
    this.tell();
  }

  /** Moves it on. Nothing runs by it but the timeouts of handlers that are running. */
  advance(by: Duration): void {
    const milliseconds = parseDuration(by);
    if (milliseconds === undefined)
      throw new InvalidOptionError('clock.advance()', by, "Give milliseconds of 0 or more, or a string such as '3m'.");
    this.moveTo(this.time + milliseconds);
  }

  /** @internal UTC epoch milliseconds. */
  get time(): number {
    return this.stopped ?? Date.now() + this.ahead;
  }

  /** @internal Never back. */
  moveTo(time: number): void {
    const by = Math.max(0, time - this.time);
    if (this.stopped === undefined) this.ahead += by;
    else this.stopped += by;
    this.tell();
  }

  /** @internal Answers the function that ends it. */
  onMove(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}

function readDate(option: string, value: unknown): number {
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.getTime();
  throw new InvalidOptionError(option, value, 'Give a valid Date.');
}
