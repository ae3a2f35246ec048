import { processName } from '../support/process-name.js';
import { QUANTITIES, type Quantity, type Sample } from './quantities.js';
import type { JobTally } from './job-tally.js';
import type { QueueReadings } from './queue-readings.js';

/** Whose telemetry it is, and what its numbers are read from. */
export class TelemetryScope {
  /** `host:pid#node`, as the history has it; before there is a node, and without one, `host:pid`. */
  node = processName();

  constructor(
    readonly service: string,
    /** The module's name. */
    readonly queue: string | undefined,
    readonly tally: JobTally,
    private readonly readings: QueueReadings | undefined,
  ) {}

  async samples(quantities: readonly Quantity[] = QUANTITIES): Promise<(readonly [Quantity, Sample[]])[]> {
    const reading = this.readings === undefined ? null : await this.readings.latest();
    return quantities.map((quantity) => [quantity, quantity.read({ tally: this.tally, reading })] as const);
  }
}
