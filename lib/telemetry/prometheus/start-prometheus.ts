import { register as defaultRegister, type Registry } from 'prom-client';
import type { Part } from '../part.js';
import { QUANTITIES } from '../quantities.js';
import type { PrometheusOptions } from '../telemetry-options.js';
import type { TelemetryScope } from '../telemetry-scope.js';
import { PromDurations } from './prom-durations.js';
import { joinNumbers } from './shared-numbers.js';

export function startPrometheus(scope: TelemetryScope, { register: given, prefix, buckets }: PrometheusOptions): Part {
  const register = (given as Registry | undefined) ?? defaultRegister;
  const durations = new PromDurations(register, prefix, buckets, scope);
  const leave = QUANTITIES.map((quantity) => joinNumbers(register, prefix, quantity, scope));
  return {
    recorder: durations,
    stop: () => {
      durations.stop();
      for (const each of leave) each();
    },
  };
}
