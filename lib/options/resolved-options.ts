import type { LogSettings } from '../events/queue-event.logger.js';
import type { QueueRole } from './module-options.js';
import type { WakeUps } from '../signal/wake-ups.js';
import type { JobHandlerOptions } from './handler-options.js';

/** Milliseconds to keep jobs that have ended; 0 deletes them at once. */
export interface Retention {
  readonly succeeded: number;
  readonly failed: number;
}

/** The module's options with every default filled in: the token under which the module's providers get them. Durations are milliseconds. */
export abstract class ResolvedOptions {
  abstract readonly name: string | undefined;
  abstract readonly serviceName: string;
  abstract readonly dataSource: string | undefined;
  abstract readonly connections: number;
  abstract readonly roles: ReadonlySet<QueueRole>;
  abstract readonly include: ReadonlySet<string> | undefined;
  abstract readonly exclude: ReadonlySet<string>;
  abstract readonly autoStart: boolean;
  /** `undefined`: true on SQLite, else false. */
  abstract readonly synchronize: boolean | undefined;
  abstract readonly tablePrefix: string;
  /** `undefined`: a table of ours. */
  abstract readonly lockTable: string | undefined;
  abstract readonly concurrency: number;
  abstract readonly handlers: Readonly<Record<string, JobHandlerOptions>>;
  abstract readonly pollMin: number;
  abstract readonly pollMax: number;
  /** `undefined`: polling alone. */
  abstract readonly wakeUps: 'postgres' | WakeUps | undefined;
  abstract readonly leaseDuration: number;
  abstract readonly leaseBeat: number;
  abstract readonly leaseThread: boolean;
  abstract readonly hungAfter: number;
  abstract readonly shutdownTimeout: number;
  abstract readonly retention: Retention & { readonly history: number };
  abstract readonly maxPayloadBytes: number;
  abstract readonly globalEnhancers: boolean;
  abstract readonly logs: LogSettings['logs'];
}
