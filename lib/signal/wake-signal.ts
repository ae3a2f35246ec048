import type { JobLevel } from '../job/job.js';

/** Whether a hint is of this process, or has come from another one. */
export type HintOrigin = 'here' | 'elsewhere';

export type HintListener = (levels: readonly JobLevel[], origin: HintOrigin) => void;

/**
 * A hint that jobs of a level may be waiting; without a level, that something has changed. Losing one costs latency, never a job:
 * polling finds it too.
 */
export abstract class WakeSignal {
  /** Tells this process, and the others where there is a way to them. */
  abstract notify(levels: readonly JobLevel[]): void;
  /** Tells this process alone: of what nobody else could begin yet. */
  abstract notifyHere(levels: readonly JobLevel[]): void;
  /** Answers the function that ends the subscription. */
  abstract subscribe(listener: HintListener): () => void;
  /** Opens the way to the other processes. @throws for a way that could never be used */
  abstract open(): Promise<void>;
  abstract close(): Promise<void>;
}
