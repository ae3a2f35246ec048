/** In milliseconds. */
const FIRST_REST = 5;
const LONGEST_REST = 250;

/**
 * How soon a hint of another process is followed: at once, unless the last ones were in vain. Of a thousand nodes that are told of one
 * job, one gets it; were the others as eager the next time, every job would cost the database a thousand claims.
 */
export class HintPace {
  private rest = 0;
  private restsUntil = -Infinity;
  private timer: NodeJS.Timeout | undefined;

  /** `longest`: milliseconds. */
  constructor(
    private readonly longest: number,
    private readonly wake: () => void,
  ) {}

  follow(): void {
    const wait = this.restsUntil - performance.now();
    if (wait <= 0) this.wake();
    else this.timer ??= setTimeout(() => this.end(), wait).unref();
  }

  /** Longer each time, and for each node differently. */
  missed(): void {
    this.rest = Math.min(Math.max(FIRST_REST, this.rest * 2), LONGEST_REST, this.longest);
    this.restsUntil = performance.now() + this.rest * (0.5 + Math.random() / 2);
  }

  found(): void {
    this.rest = 0;
    this.restsUntil = -Infinity;
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private end(): void {
    this.timer = undefined;
    this.wake();
  }
}
