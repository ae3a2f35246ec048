export { PersistentQueueTelemetryModule } from './telemetry.module.js';
export type {
  MeterProviderLike,
  PersistentQueueTelemetryOptions,
  RegisterLike,
  TracerProviderLike,
} from './telemetry-options.js';
export { MissingPeerError } from '../errors/missing-peer.error.js';
