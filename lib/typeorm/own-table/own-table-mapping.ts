/** What is where in a table of the application's. */
export interface OwnTableMapping {
  readonly table: string;
  readonly columns: {
    readonly id: string;
    readonly status: string;
    readonly type: string | undefined;
    readonly payload: string | undefined;
    readonly due: string | undefined;
    readonly updated: string | undefined;
    readonly attempts: string | undefined;
    readonly error: string | undefined;
  };
  readonly waiting: readonly (string | number | null)[];
  readonly succeeded: string | number;
  readonly failed: string | number;
  /** Milliseconds. */
  readonly unit: number;
}
