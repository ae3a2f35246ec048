/**
 * A sleep that can be cut short. A wake-up that comes while nobody sleeps is kept and ends the next sleep at once, so none
 * is lost between "nothing to do" and "go to sleep".
 */
export class InterruptibleSleep {
  private woken = false;
  private end: (() => void) | undefined;

  async sleep(milliseconds: number): Promise<void> {
    // Even no sleep at all lets timers and sockets have their turn: a loop of microtasks would starve them.
    if (this.woken || milliseconds <= 0) await new Promise((resolve) => setImmediate(resolve));
    else await this.wait(milliseconds);
    this.woken = false;
  }

  wake(): void {
    this.woken = true;
    this.end?.();
  }

  private wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.end?.(), milliseconds);
      this.end = () => {
        clearTimeout(timer);
        this.end = undefined;
        resolve();
      };
    });
  }
}
