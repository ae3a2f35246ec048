const FRESH_MS = 2_000;
/** Long enough for an answer of a database that does well: whoever has changed something sees it at once. */
const PATIENCE_MS = 500;

/** Asks as soon as it may: see `DashboardReads`. */
type InTurn = <T>(ask: () => Promise<T>) => Promise<T>;

/**
 * One question to the database for all who look at the dashboard at the same time. However dear it is, it keeps a connection busy for at
 * most `1 / (1 + rest)` of the time: after each time it is not asked again for `rest` times as long as it took, and for 2 s. While it is
 * asked again, the last answer is given to those who have waited for half a second. A failure is an answer too.
 */
export class SharedAnswer<T> {
  private last: Promise<T> | undefined;
  private next: Promise<T> | undefined;
  private freshUntil = 0;
  private restUntil = 0;
  private isOutdated = false;

  constructor(
    private readonly ask: () => Promise<T>,
    private readonly inTurn: InTurn,
    private readonly rest = 0,
  ) {}

  get(): Promise<T> {
    if (this.next !== undefined) return soon(this.next, this.last);
    if (this.last !== undefined && performance.now() < this.freshUntil) return this.last;
    return soon(this.askAgain(), this.last);
  }

  /** Somebody has changed something here, and wants to see it: asked again as soon as its cost allows. */
  outdate(): void {
    this.isOutdated = true;
    this.freshUntil = this.restUntil;
  }

  private askAgain(): Promise<T> {
    const next = this.inTurn(() => this.timed());
    const end = () => {
      this.last = next;
      this.next = undefined;
    };
    next.then(end, end);
    this.next = next;
    return next;
  }

  /** Waiting for its turn costs nothing. */
  private async timed(): Promise<T> {
    this.isOutdated = false;
    const began = performance.now();
    try {
      return await this.ask();
    } finally {
      const ended = performance.now();
      this.restUntil = ended + this.rest * (ended - began);
      this.freshUntil = this.isOutdated ? this.restUntil : Math.max(this.restUntil, ended + FRESH_MS);
    }
  }
}

function soon<T>(next: Promise<T>, last: Promise<T> | undefined): Promise<T> {
  if (last === undefined) return next;
  return new Promise((resolve) => {
    const impatient = setTimeout(() => resolve(last), PATIENCE_MS);
    const end = () => {
      clearTimeout(impatient);
      resolve(next);
    };
    next.then(end, end);
  });
}
