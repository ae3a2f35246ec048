import { metrics, type MeterProvider } from '@opentelemetry/api';
import type { MeterProviderLike } from '../telemetry-options.js';
import type { Part } from '../part.js';
import type { TelemetryScope } from '../telemetry-scope.js';
import { SCOPE } from './attributes.js';
import { JobDurations } from './job-durations.js';
import { JobMetrics } from './job-metrics.js';

export function startMetrics(scope: TelemetryScope, given: MeterProviderLike | undefined): Part {
  const provider = (given as MeterProvider | undefined) ?? metrics;
  const meter = provider.getMeter(SCOPE);
  const recorder = new JobDurations(meter, scope);
  const numbers = new JobMetrics(meter, scope);
  return { recorder, stop: () => numbers.stop() };
}
