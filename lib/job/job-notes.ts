/** A line that a handler has logged. */
export interface LogLine {
  /** Counts up within the attempt. */
  readonly line: number;
  /** `performance.now()` of this process. */
  readonly at: number;
  readonly message: string;
}

/** What a handler has told about a running job since it was last written down. */
export interface JobNotes {
  /** JSON text. */
  readonly progress: string | undefined;
  readonly lines: readonly LogLine[];
}
