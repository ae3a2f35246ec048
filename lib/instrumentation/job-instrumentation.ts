import { Injectable } from '@nestjs/common';
import { QueueEvents } from '../events/queue-events.js';
import { messageOf } from '../support/message-of.js';
import { GuardedInstrument } from './guarded-instrument.js';
import type { JobInstrument } from './job-instrument.js';

/** One that fails at every job would fill the log. */
const TOLD_EVERY = 60_000;

/**
 * Where instruments are put on: traces and metrics of `nestjs-persistent-queue/telemetry`, or your own.
 *
 * @publicApi
 */
@Injectable()
export class JobInstrumentation {
  /** `undefined` while there is none: to see that is all that a job pays then. */
  current: GuardedInstrument | undefined;
  private instruments: readonly JobInstrument[] = [];
  private toldAt = -Infinity;

  constructor(private readonly events: QueueEvents) {}

  /** From now on, for what begins. Answers how to take it off again. */
  use(instrument: JobInstrument): () => void {
    this.set([...this.instruments, instrument]);
    return () => this.set(this.instruments.filter((each) => each !== instrument));
  }

  private set(instruments: readonly JobInstrument[]): void {
    this.instruments = instruments;
    const tell = (error: unknown) => this.tell(error);
    this.current = instruments.length === 0 ? undefined : new GuardedInstrument(instruments, tell);
  }

  private tell(error: unknown): void {
    const now = performance.now();
    if (now - this.toldAt < TOLD_EVERY) return;
    this.toldAt = now;
    this.events.emit({ name: 'instrument.failed', error: messageOf(error) });
  }
}
