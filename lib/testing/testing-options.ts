/**
 * Options of `usePersistentQueueTesting()`.
 *
 * @publicApi
 */
export interface TestingOptions {
  /**
   * `'manual'`: nothing runs until the test says so. `'inline'`: an enqueue runs its job before it resolves, a transaction the jobs that were
   * enqueued in it after its commit; what is delayed waits for the test.
   * @default 'manual'
   */
  mode?: 'manual' | 'inline';
  /** Where the clock stands still. By default it goes with `Date.now()`. */
  now?: Date;
  /** The `name` of the module that is meant. By default the one without. */
  queue?: string;
  /**
   * What becomes of an error that a handler throws, besides its retry: `'record'`: it is in the job's history. `'throw'`: it is also
   * thrown by what has run the job: `drain()`, `run()`, or an enqueue with `mode: 'inline'`.
   * @default 'record'
   */
  errors?: 'record' | 'throw';
}

/**
 * Options of `drain()`.
 *
 * @publicApi
 */
export interface DrainOptions {
  /**
   * Moves the clock on to this time, or by this span, and stops on its way whenever something is due: retries, delayed jobs, sleeps,
   * schedules, each at its time.
   */
  until?: Date | number | string;
  /**
   * After so many runs something goes on without an end: `EndlessDrainError`.
   * @default 10000
   */
  maxRuns?: number;
  /** As `TestingOptions.errors`, for this call. */
  errors?: 'record' | 'throw';
}
