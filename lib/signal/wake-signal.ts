import type { JobLevel } from '../job/job.js';

/** A hint that jobs of a level may be waiting. Losing one costs latency, never a job: polling finds it too. */
export abstract class WakeSignal {
  abstract notify(levels: readonly JobLevel[]): void;
  /** Answers the function that ends the subscription. */
  abstract subscribe(listener: (levels: readonly JobLevel[]) => void): () => void;
}
