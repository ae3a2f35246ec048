import type { JobInstrument } from '../instrumentation/job-instrument.js';
import type { DurationRecorder } from './job-meter.js';

/** Traces, metrics or Prometheus, started. */
export interface Part {
  readonly instrument?: JobInstrument;
  readonly recorder?: DurationRecorder;
  readonly stop?: () => void;
}
