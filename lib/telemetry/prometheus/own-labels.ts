import type { TelemetryScope } from '../telemetry-scope.js';

/** Whose metric it is. */
export const OWN_LABELS = ['service', 'queue'] as const;

export function ownLabels({ service, queue }: TelemetryScope): { service: string; queue?: string } {
  return queue === undefined ? { service } : { service, queue };
}
