import { Injectable } from '@nestjs/common';
import { QueueEvents } from '../events/queue-events.js';
import { serialiseError } from '../support/serialise-error.js';
import { GuardedInstrument } from './guarded-instrument.js';
import type { JobInstrument } from './job-instrument.js';

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

  constructor(private readonly events: QueueEvents) {}

  /** From now on, for what begins. Answers how to take it off again. */
  use(instrument: JobInstrument): () => void {
    this.set([...this.instruments, instrument]);
    return () => this.set(this.instruments.filter((each) => each !== instrument));
  }

  private set(instruments: readonly JobInstrument[]): void {
    this.instruments = instruments;
    const tell = (thrown: unknown) => this.tell(thrown);
    this.current = instruments.length === 0 ? undefined : new GuardedInstrument(instruments, tell);
  }

  /** Never throws, whatever they have thrown. */
  private tell(thrown: unknown): void {
    const { message: error, name: errorName } = serialiseError(thrown);
    this.events.emit({ name: 'instrument.failed', error, errorName });
  }
}
