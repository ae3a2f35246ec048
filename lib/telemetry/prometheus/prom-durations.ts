import { Histogram, type Registry } from 'prom-client';
import type { AttemptConclusion } from '../../instrumentation/job-instrument.js';
import type { DurationRecorder } from '../job-meter.js';
import type { TelemetryScope } from '../telemetry-scope.js';
import { OWN_LABELS, ownLabels } from './own-labels.js';
import { join } from './shared-metric.js';

class SharedHistogram extends Histogram {
  readonly members = new Set<TelemetryScope>();
  /** What there is of a service's queue, which several applications may have: the last one to leave takes it along. */
  readonly children = new Map<string, Map<string, Record<string, string>>>();

  leftBy(scope: TelemetryScope): void {
    const owner = ownerOf(scope);
    if ([...this.members].some((member) => ownerOf(member) === owner)) return;
    for (const labels of this.children.get(owner)?.values() ?? []) this.remove(labels);
    this.children.delete(owner);
  }
}

function ownerOf(scope: TelemetryScope): string {
  return JSON.stringify(ownLabels(scope));
}

type Observe = (seconds: number) => void;

/** Durations by prom-client. */
export class PromDurations implements DurationRecorder {
  private readonly attempt: SharedHistogram;
  private readonly wait: SharedHistogram;
  private readonly enqueue: SharedHistogram;
  private readonly leave: (() => void)[] = [];
  /** Of the labels of each: found once, needed for each job. */
  private readonly found = new Map<string, Observe>();

  constructor(
    private readonly register: Registry,
    private readonly prefix: string,
    private readonly buckets: readonly number[],
    private readonly scope: TelemetryScope,
  ) {
    try {
      this.attempt = this.join('attempt_duration_seconds', 'Duration of attempts', ['type', 'outcome']);
      this.wait = this.join('job_wait_seconds', 'Since when jobs were due when they began', ['type']);
      this.enqueue = this.join('enqueue_duration_seconds', 'Duration of enqueues', ['type', 'outcome']);
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  enqueued(type: string, seconds: number, hasFailed: boolean): void {
    const outcome = hasFailed ? 'failed' : 'succeeded';
    this.child(this.enqueue, `enqueue ${outcome} ${type}`, { type, outcome })(seconds);
  }

  waited(type: string, seconds: number): void {
    this.child(this.wait, `wait ${type}`, { type })(seconds);
  }

  attempted(type: string, seconds: number, { outcome }: AttemptConclusion): void {
    this.child(this.attempt, `attempt ${outcome} ${type}`, { type, outcome })(seconds);
  }

  /** Others may stay in the register. */
  stop(): void {
    for (const leave of this.leave) leave();
  }

  private child(histogram: SharedHistogram, key: string, labels: Record<string, string>): Observe {
    let observe = this.found.get(key);
    if (observe === undefined) {
      const all = { ...ownLabels(this.scope), ...labels };
      const child = histogram.labels(all);
      this.found.set(key, (observe = (seconds) => child.observe(seconds)));
      const owner = ownerOf(this.scope);
      const children = histogram.children.get(owner) ?? new Map<string, Record<string, string>>();
      histogram.children.set(owner, children.set(key, all));
    }
    return observe;
  }

  private join(name: string, help: string, labels: readonly string[]): SharedHistogram {
    const { register, prefix, buckets, scope } = this;
    const full = `${prefix}${name}`;
    const labelNames = [...OWN_LABELS, ...labels];
    const make = () =>
      new SharedHistogram({ name: full, help, labelNames, buckets: [...buckets], registers: [register] });
    const joined = join(register, full, scope, make, (metric) => metric instanceof SharedHistogram);
    this.leave.push(() => {
      joined.leave();
      joined.metric.leftBy(scope);
    });
    return joined.metric;
  }
}
