import type { Attributes } from '@opentelemetry/api';
import type { TelemetryScope } from '../telemetry-scope.js';
import * as names from './attributes.js';

/** Of everything that is told. */
export function baseAttributes({ service, queue }: TelemetryScope): Attributes {
  return {
    [names.SYSTEM]: names.SYSTEM_NAME,
    [names.SERVICE]: service,
    ...(queue === undefined ? {} : { [names.QUEUE]: queue }),
  };
}
