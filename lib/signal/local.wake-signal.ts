import type { JobLevel } from '../job/job.js';
import { WakeSignal, type HintListener, type HintOrigin } from './wake-signal.js';

/** Wake-ups inside this process. */
export class LocalWakeSignal extends WakeSignal {
  private readonly listeners = new Set<HintListener>();

  notify(levels: readonly JobLevel[]): void {
    this.notifyHere(levels);
  }

  notifyHere(levels: readonly JobLevel[]): void {
    this.tell(levels, 'here');
  }

  subscribe(listener: HintListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async open(): Promise<void> {}

  async close(): Promise<void> {}

  protected tell(levels: readonly JobLevel[], origin: HintOrigin): void {
    for (const listener of this.listeners) listener(levels, origin);
  }
}
