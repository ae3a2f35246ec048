import { Counter, Gauge, type Registry } from 'prom-client';
import { LABELS, type Quantity, type Sample } from '../quantities.js';
import type { TelemetryScope } from '../telemetry-scope.js';
import { join } from './shared-metric.js';
import { OWN_LABELS, ownLabels } from './own-labels.js';

/** What is not taken as a Prometheus counter only because it is set when it is collected. */
class SharedCounter extends Counter {
  readonly members = new Set<TelemetryScope>();
}

class SharedGauge extends Gauge {
  readonly members = new Set<TelemetryScope>();
}

/** Asks its members when it is collected. */
export function joinNumbers(register: Registry, prefix: string, quantity: Quantity, scope: TelemetryScope): () => void {
  const { kind, help } = quantity;
  const name = nameOf(register, prefix, quantity);
  const options = { name, help, labelNames: [...OWN_LABELS, ...LABELS], registers: [register] };
  if (kind === 'gauge') {
    const make = (): SharedGauge => {
      const gauge: SharedGauge = new SharedGauge({ ...options, collect: () => collect(gauge, quantity) });
      return gauge;
    };
    return join(register, name, scope, make, (metric) => metric instanceof SharedGauge).leave;
  }
  const make = (): SharedCounter => {
    const counter: SharedCounter = new SharedCounter({ ...options, collect: () => collect(counter, quantity) });
    return counter;
  };
  return join(register, name, scope, make, (metric) => metric instanceof SharedCounter).leave;
}

/** A register of OpenMetrics appends it by itself. */
function nameOf({ contentType }: Registry, prefix: string, { kind, prometheus }: Quantity): string {
  const isTotal = kind === 'counter' && !contentType.includes('openmetrics');
  return `${prefix}${prometheus}${isTotal ? '_total' : ''}`;
}

async function collect(metric: SharedCounter | SharedGauge, quantity: Quantity): Promise<void> {
  const all = await Promise.all([...metric.members].map((scope) => samplesOf(scope, quantity)));
  // What is not there any more must not be told with its last value.
  metric.reset();
  for (const { value, labels } of merged(all.flat(), quantity)) metric.inc(labels, value);
}

/** Applications of one service have the same labels. */
function merged(samples: readonly Sample[], { merge }: Quantity): Iterable<Sample> {
  const all = new Map<string, Sample>();
  for (const { value, labels } of samples) {
    const key = JSON.stringify(labels);
    const found = all.get(key);
    all.set(key, { labels, value: found === undefined ? value : merge(found.value, value) });
  }
  return all.values();
}

async function samplesOf(scope: TelemetryScope, quantity: Quantity): Promise<Sample[]> {
  const [[, samples] = [quantity, []]] = await scope.samples([quantity]);
  return samples.map(({ value, labels }) => ({ value, labels: { ...ownLabels(scope), ...labels } }));
}
