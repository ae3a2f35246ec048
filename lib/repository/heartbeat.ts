import type { Pulse } from '../support/pulse.js';

/**
 * Beats for the node while the event loop of the main thread is busy. It only beats: who is dead, and what follows, is decided by
 * whoever has started it.
 */
export abstract class Heartbeat {
  /** Whether it beats all the time, so that the main thread need not unless it hears nothing. */
  abstract readonly isBeating: boolean;

  /** Beats for `pulse.node`, as long as the main thread ticks. `onNews` is called when the main thread should beat for itself. */
  abstract start(pulse: Pulse, onNews: () => void): void;

  /** Resolves when it has ended. */
  abstract stop(): Promise<void>;
}
