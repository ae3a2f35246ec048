import type { Attributes, Histogram, Meter } from '@opentelemetry/api';
import type { AttemptConclusion } from '../../instrumentation/job-instrument.js';
import type { DurationRecorder } from '../job-meter.js';
import { BUCKETS } from '../telemetry-options.js';
import type { TelemetryScope } from '../telemetry-scope.js';
import * as names from './attributes.js';
import { baseAttributes } from './base-attributes.js';

/** Durations by OpenTelemetry. */
export class JobDurations implements DurationRecorder {
  private readonly process: Histogram;
  private readonly wait: Histogram;
  private readonly enqueue: Histogram;
  private readonly base: Attributes;
  /** Made once: they are needed for each job. */
  private readonly made = new Map<string, Attributes>();

  constructor(meter: Meter, scope: TelemetryScope) {
    this.base = baseAttributes(scope);
    this.process = histogram(meter, 'messaging.process.duration', 'Duration of attempts');
    this.wait = histogram(meter, 'persistent_queue.job.wait.duration', 'Since when jobs were due when they began');
    this.enqueue = histogram(meter, 'messaging.client.operation.duration', 'Duration of enqueues');
  }

  enqueued(type: string, seconds: number, hasFailed: boolean): void {
    const error = hasFailed ? '_OTHER' : undefined;
    const make = () => ({ ...this.attributesOf(type, 'enqueue', error), [names.OPERATION_TYPE]: 'send' });
    this.enqueue.record(seconds, this.once(`enqueue ${error} ${type}`, make));
  }

  waited(type: string, seconds: number): void {
    this.wait.record(
      seconds,
      this.once(`wait ${type}`, () => ({ ...this.base, [names.DESTINATION]: type })),
    );
  }

  /** A class of errors by the reason: names of errors may be anything. */
  attempted(type: string, seconds: number, { outcome, reason }: AttemptConclusion): void {
    const error = outcome === 'failed' || outcome === 'retried' ? (reason ?? 'error') : undefined;
    const make = () => ({ ...this.attributesOf(type, 'process', error), [names.OUTCOME]: outcome });
    this.process.record(seconds, this.once(`${outcome} ${error} ${type}`, make));
  }

  private once(key: string, make: () => Attributes): Attributes {
    let attributes = this.made.get(key);
    if (attributes === undefined) this.made.set(key, (attributes = make()));
    return attributes;
  }

  private attributesOf(type: string, operation: string, error: string | undefined): Attributes {
    return {
      ...this.base,
      [names.OPERATION_NAME]: operation,
      [names.DESTINATION]: type,
      ...(error === undefined ? {} : { [names.ERROR_TYPE]: error }),
    };
  }
}

function histogram(meter: Meter, name: string, description: string): Histogram {
  return meter.createHistogram(name, { unit: 's', description, advice: { explicitBucketBoundaries: [...BUCKETS] } });
}
