/**
 * What a handler gets as its second argument.
 *
 * @publicApi
 */
export interface JobContext {
  readonly id: string;
  readonly type: string;
  /** 1 for the first execution, 2 for the first retry. */
  readonly attempt: number;
  /** `maxRetries + 1`. */
  readonly maxAttempts: number;
  readonly key: string | undefined;
  readonly reference: string | undefined;
  readonly traceId: string | undefined;
  readonly dueAt: Date;
  readonly createdAt: Date;
  /** Aborted at `timeout` (reason: `JobTimeoutError`), and when this node may not run the job any more (reason: `LeaseLostError`). */
  readonly signal: AbortSignal;
}
