import { trace, type TracerProvider } from '@opentelemetry/api';
import type { TracerProviderLike } from '../telemetry-options.js';
import type { Part } from '../part.js';
import type { TelemetryScope } from '../telemetry-scope.js';
import { SCOPE } from './attributes.js';
import { JobTracer } from './job-tracer.js';

export function startTraces(scope: TelemetryScope, given: TracerProviderLike | undefined): Part {
  const provider = (given as TracerProvider | undefined) ?? trace;
  return { instrument: new JobTracer(provider.getTracer(SCOPE), scope) };
}
