import type { Type } from '@nestjs/common';
import type { Operation } from '../job/operation.js';
import type { Duration } from '../support/duration.js';

/**
 * Where the rows of a job type come from, when they are not jobs of ours.
 *
 * @publicApi
 */
export interface OperationOptions {
  /**
   * A provider, or any class whose constructor Nest can fill.
   * @default the `Operation` of the module's `overrides`
   */
  use?: Type<Operation>;
  /**
   * One process at a time loads and updates: that which holds this lock. When it dies another one goes on within `atMost` and 5 s.
   * `atLeast: 'auto'`: `atMost` less 5 s, as the original.
   * @default { name: 'operation:<type>', atMost: '30s', atLeast: 0 }
   */
  lock?: { name?: string; atMost?: Duration; atLeast?: Duration };
  /**
   * How long one `loadJobs()` may take, or the updates of one batch; those at most half of the lock's `atMost`, because it cannot be
   * renewed meanwhile. Then the call counts as hung: what it still does is dropped, and it is made again.
   * @default '1m'
   */
  timeout?: Duration;
}
