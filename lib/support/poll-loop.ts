import { InterruptibleSleep } from './interruptible-sleep.js';
import type { Service } from './service.js';

/**
 * Calls `step` again and again. A step answers how many milliseconds to wait before the next one; a step that throws is
 * told to `onError`, which answers the same. The loop itself knows nothing else.
 */
export class PollLoop implements Service {
  private readonly rest = new InterruptibleSleep();
  private running: Promise<void> | undefined;
  private stopping = false;

  constructor(
    private readonly step: () => Promise<number>,
    private readonly onError: (error: unknown) => number,
  ) {}

  start(): void {
    if (this.running !== undefined) return;
    this.stopping = false;
    this.running = this.run();
  }

  wake(): void {
    this.rest.wake();
  }

  /** Resolves when the step under way has ended. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.rest.wake();
    await this.running;
    this.running = undefined;
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      const pause = await this.step().catch((error: unknown) => this.onError(error));
      if (!this.stopping) await this.rest.sleep(pause);
    }
  }
}
