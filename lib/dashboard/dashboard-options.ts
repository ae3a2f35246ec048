import type { CanActivate, ModuleMetadata, Type } from '@nestjs/common';

/**
 * Where a value on the dashboard comes from.
 *
 * @publicApi
 */
export interface ValueSource {
  /** Of the job, or the name of the schedule. */
  readonly id: string;
  readonly type: string;
  /** `payload`: also of a schedule. `context`, `step`: what a multi-step job and one of its steps have saved. */
  readonly field: 'payload' | 'result' | 'progress' | 'context' | 'step';
}

/**
 * Options of the dashboard.
 *
 * @publicApi
 */
export interface PersistentQueueDashboardOptions {
  /**
   * Where it is mounted, below the application's global prefix.
   * @default 'queues'
   */
  path?: string;
  /** Asked before every request: the page, its assets and its API alike. Made by Nest, with the dependencies that `imports` brings. */
  guard?: Type<CanActivate>;
  /** Instead of a guard: everybody who reaches the application may see it. */
  open?: true;
  /**
   * Nothing can be changed through it: the server refuses every method but GET and HEAD.
   * @default true
   */
  readOnly?: boolean;
  /**
   * `'hidden'`: payloads, results, progress and what steps have saved never leave the server. Error messages and log lines are what the
   * application has written, and are shown.
   * @default 'hidden'
   */
  payloads?: 'hidden' | 'shown';
  /**
   * What is shown instead of a value, with `payloads: 'shown'`: called with each payload, result, progress, context and step result that is
   * there. A value is hidden when this throws, or answers a promise or what JSON cannot carry.
   */
  redact?: (value: unknown, source: ValueSource) => unknown;
  /** For the controller that answers its requests: what a guard of the whole application looks for, such as your own `@Public()`. */
  decorators?: ClassDecorator[];
  /** The `name` of the `PersistentQueueModule` that it shows. */
  queue?: string;
  /** Modules that bring what the guard wants injected. */
  imports?: ModuleMetadata['imports'];
}

/** The options of one dashboard, checked. */
export class DashboardOptions {
  constructor(
    readonly path: string,
    readonly guard: Type<CanActivate> | undefined,
    readonly readOnly: boolean,
    readonly showsPayloads: boolean,
    readonly redact: (value: unknown, source: ValueSource) => unknown,
    readonly decorators: readonly ClassDecorator[],
    readonly queue: string | undefined,
  ) {}
}
