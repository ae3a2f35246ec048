import { Injectable } from '@nestjs/common';
import type { JobLevel } from '../job/job.js';
import { WakeSignal } from './wake-signal.js';

/** Wake-ups inside this process. */
@Injectable()
export class LocalWakeSignal extends WakeSignal {
  private readonly listeners = new Set<(levels: readonly JobLevel[]) => void>();

  notify(levels: readonly JobLevel[]): void {
    for (const listener of this.listeners) listener(levels);
  }

  subscribe(listener: (levels: readonly JobLevel[]) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
