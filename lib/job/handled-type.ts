/**
 * A job type as a node runs it: what the other processes know of its handler. Times are milliseconds.
 *
 * @publicApi
 */
export interface HandledType {
  readonly type: string;
  /** Running jobs of this type at most. */
  readonly concurrency: number;
  /** Deaths of a process that are held against a job before it fails. */
  readonly maxCrashes: number;
  /** From a job's first due time: later it is not started any more. */
  readonly deadline: number | undefined;
  /** In the whole cluster; `undefined`: none. */
  readonly limits?: HandledLimits | undefined;
}

/**
 * Limits of a job type in the whole cluster.
 *
 * @publicApi
 */
export interface HandledLimits {
  /** Running jobs of the type at most. */
  readonly concurrency?: number | undefined;
  /** Running jobs of one concurrency key at most. */
  readonly perKey?: number | undefined;
  /** Starts in any `per` milliseconds at most. */
  readonly rate?: { readonly max: number; readonly per: number } | undefined;
}
