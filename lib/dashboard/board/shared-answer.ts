const FRESH_MS = 2_000;

/**
 * One question to the database for all who look at the dashboard at the same time. However dear it is, it keeps a connection busy for at
 * most `1 / (1 + rest)` of the time: after each time it is not asked again for `rest` times as long as it took, and for 2 s.
 */
export class SharedAnswer<T> {
  private answer: Promise<T> | undefined;
  private freshUntil = 0;
  private restUntil = 0;
  private isOutdated = false;

  constructor(
    private readonly ask: () => Promise<T>,
    private readonly rest = 0,
  ) {}

  get(): Promise<T> {
    if (this.answer !== undefined && performance.now() < this.freshUntil) return this.answer;
    this.freshUntil = Infinity;
    this.answer = this.askNow();
    return this.answer;
  }

  /** Somebody has changed something here, and wants to see it: asked again as soon as its cost allows. */
  outdate(): void {
    this.isOutdated = true;
    if (this.freshUntil !== Infinity) this.freshUntil = this.restUntil;
  }

  private async askNow(): Promise<T> {
    this.isOutdated = false;
    const began = performance.now();
    try {
      return await this.ask();
    } catch (error) {
      this.answer = undefined;
      throw error;
    } finally {
      const ended = performance.now();
      this.restUntil = ended + this.rest * (ended - began);
      this.freshUntil = this.isOutdated ? this.restUntil : Math.max(this.restUntil, ended + FRESH_MS);
    }
  }
}
