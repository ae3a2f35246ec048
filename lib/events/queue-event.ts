/**
 * What the engine tells about itself, in this process. No payloads: events are logged.
 *
 * @publicApi
 */
export type QueueEvent =
  | { readonly name: 'node.registered'; readonly node: string }
  | { readonly name: 'node.lost'; readonly node: string; readonly running: number }
  | { readonly name: 'node.stopped'; readonly node: string; readonly released: number }
  | { readonly name: 'node.rescued'; readonly jobs: number; readonly failed: number }
  | { readonly name: 'node.blocked'; readonly for: number; readonly handlers: readonly string[] }
  | { readonly name: 'heartbeat.on-main-thread'; readonly reason: string }
  | { readonly name: 'heartbeat.thread-ended'; readonly error: string; readonly againIn: number }
  | { readonly name: 'job.started'; readonly job: JobFacts }
  | { readonly name: 'job.succeeded'; readonly job: JobFacts }
  | {
      readonly name: 'job.retried';
      readonly job: JobFacts;
      readonly delay: number;
      readonly error: string;
      readonly errorName?: string | undefined;
    }
  | {
      readonly name: 'job.failed';
      readonly job: JobFacts;
      readonly reason: string;
      readonly error: string;
      readonly errorName?: string | undefined;
    }
  | { readonly name: 'job.lost'; readonly job: JobFacts }
  | { readonly name: 'job.overrun'; readonly job: JobFacts; readonly timeout: number }
  | { readonly name: 'job.result-dropped'; readonly job: JobFacts; readonly error: string }
  | { readonly name: 'job.incompatible'; readonly job: JobFacts; readonly error: string }
  | {
      readonly name: 'job.filter-failed';
      readonly job: JobFacts;
      readonly error: string;
      readonly errorName?: string | undefined;
    }
  | { readonly name: 'job.rescued'; readonly job: JobFacts; readonly state: 'waiting' | 'failed' }
  | { readonly name: 'instrument.failed'; readonly error: string; readonly errorName?: string | undefined }
  | { readonly name: 'lock.lost'; readonly lock: string; readonly fence: number }
  | { readonly name: 'operation.warning'; readonly operation: string; readonly warning: string }
  | { readonly name: 'operation.led'; readonly operation: string; readonly fence: number }
  | { readonly name: 'operation.lost'; readonly operation: string; readonly fence: number; readonly rows: number }
  | { readonly name: 'operation.bad-rows'; readonly operation: string; readonly rows: number; readonly first: string }
  | {
      readonly name: 'operation.failed';
      readonly operation: string;
      readonly during: 'lock' | 'load' | 'update';
      readonly rows: number;
      readonly error: string;
      readonly errorName?: string | undefined;
    }
  | { readonly name: 'enqueue.progress'; readonly type: string; readonly done: number; readonly total: number }
  | { readonly name: 'retry.progress'; readonly retried: number }
  | { readonly name: 'remove.progress'; readonly removed: number }
  | { readonly name: 'types.unhandled'; readonly types: readonly string[] }
  | { readonly name: 'services.unhandled'; readonly services: readonly string[] }
  | { readonly name: 'schedule.fired'; readonly schedule: string; readonly fireTime: Date; readonly job: JobFacts }
  | { readonly name: 'schedule.skipped'; readonly schedule: string; readonly fireTime: Date }
  | { readonly name: 'schedule.missed'; readonly schedule: string; readonly fireTime: Date }
  | { readonly name: 'schedule.broken'; readonly schedule: string; readonly error: string }
  | { readonly name: 'schedule.gone'; readonly schedule: string }
  | { readonly name: 'schedule.late'; readonly schedule: string; readonly since: Date }
  | { readonly name: 'schedule.recovered'; readonly schedule: string }
  | { readonly name: 'shutdown.hooks-missing' }
  | { readonly name: 'wake-ups.lost'; readonly error: string; readonly errorName?: string | undefined }
  | { readonly name: 'wake-ups.restored'; readonly after: number }
  | { readonly name: 'sqlite.busy-timeout'; readonly timeout: number }
  | {
      readonly name: 'database.retried';
      readonly tries: number;
      readonly wait: number;
      readonly error: string;
      readonly errorName?: string | undefined;
    }
  | {
      readonly name: 'database.error';
      readonly during: string;
      readonly error: string;
      readonly errorName?: string | undefined;
    };

/**
 * Which job an event is about.
 *
 * @publicApi
 */
export interface JobFacts {
  readonly id: string;
  readonly type: string;
  readonly attempt?: number;
  /** Of the claim: raised by each one. */
  readonly fence?: number;
  /** As it was enqueued with; `/telemetry` makes it a `traceparent` of W3C. */
  readonly traceId?: string | undefined;
}
