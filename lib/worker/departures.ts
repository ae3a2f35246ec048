/** Those who wait until some handlers have ended. */
export class Departures {
  private readonly waiting = new Set<() => void>();

  /** One has ended. */
  left(): void {
    for (const look of this.waiting) look();
  }

  /** Resolves when it is so, or after `timeout` milliseconds. */
  until(isSo: () => boolean, timeout?: number): Promise<void> {
    if (isSo()) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.waiting.delete(look);
        resolve();
      };
      const look = () => {
        if (isSo()) end();
      };
      const timer = timeout === undefined ? undefined : setTimeout(end, timeout);
      this.waiting.add(look);
    });
  }
}
