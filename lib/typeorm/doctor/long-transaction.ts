/** A transaction that keeps the database from cleaning up. */
export interface LongTransaction {
  /** What ends it. */
  readonly cure: string;
  readonly what: string;
  readonly seconds: number;
}
