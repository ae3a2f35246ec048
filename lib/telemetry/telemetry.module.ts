import { Module, type DynamicModule } from '@nestjs/common';
import { Telemetry, TELEMETRY_OPTIONS } from './telemetry.js';
import { readTelemetryOptions, type PersistentQueueTelemetryOptions } from './telemetry-options.js';

/**
 * Traces and metrics of jobs, by OpenTelemetry and by `prom-client`: import it beside `PersistentQueueModule`, once for each of them. It
 * opens no port, and exports nothing by itself: that is what your SDK and your `/metrics` do.
 *
 * @publicApi
 */
@Module({})
export class PersistentQueueTelemetryModule {
  /** @throws UnknownOptionError, InvalidOptionError; MissingPeerError when the application starts. */
  static forRoot(options: PersistentQueueTelemetryOptions): DynamicModule {
    const resolved = readTelemetryOptions(options);
    return {
      module: PersistentQueueTelemetryModule,
      providers: [{ provide: TELEMETRY_OPTIONS, useValue: resolved }, Telemetry],
    };
  }
}
