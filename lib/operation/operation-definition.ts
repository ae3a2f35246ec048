import type { RegisteredHandler } from '../handler/registered-handler.js';
import type { Operation } from '../job/operation.js';
import type { LockTimes } from '../lock/lock-options.js';

/** An operation with every default filled in; durations are milliseconds. */
export interface OperationDefinition {
  readonly type: string;
  readonly handler: RegisteredHandler;
  readonly operation: Operation;
  readonly lock: LockTimes & { readonly name: string };
  readonly timeout: number;
}
