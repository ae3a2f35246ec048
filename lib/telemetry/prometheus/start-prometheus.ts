import { register as defaultRegister, type Registry } from 'prom-client';
import type { Part } from '../part.js';
import { QUANTITIES } from '../quantities.js';
import type { PrometheusOptions } from '../telemetry-options.js';
import type { TelemetryScope } from '../telemetry-scope.js';
import { PromDurations } from './prom-durations.js';
import { joinNumbers } from './shared-numbers.js';

export function startPrometheus(scope: TelemetryScope, { register: given, prefix, buckets }: PrometheusOptions): Part {
  const register = (given as Registry | undefined) ?? defaultRegister;
  const stops: (() => void)[] = [];
  const stop = () => {
    for (const each of stops.splice(0)) each();
  };
  try {
    const recorder = new PromDurations(register, prefix, buckets, scope);
    stops.push(() => recorder.stop());
    for (const quantity of QUANTITIES) stops.push(joinNumbers(register, prefix, quantity, scope));
    return { recorder, stop };
  } catch (error) {
    stop();
    throw error;
  }
}
