import type { EntityManager } from 'typeorm';
import type { Attempt } from '../job/attempt.js';
import type { Settlement } from '../job/settlement.js';

/** What is kept of a row of the application's table that has not ended. */
export interface KnownRow {
  readonly id: string;
  readonly retries: number;
  readonly crashes: number;
  readonly suspect: boolean;
  /** Milliseconds until its next attempt: 0 or less when that is due. */
  readonly dueIn: number;
}

export interface TakenOver {
  readonly rows: readonly KnownRow[];
  /** The database's clock. */
  readonly now: number;
}

/** The end of one attempt of a row. `turn`: of all attempts under one fence. */
export interface RowSettlement {
  readonly turn: number;
  readonly settlement: Settlement;
}

/**
 * What has become of rows of the application's tables, as far as it is not written there: attempts, the time of the next one, crashes.
 * Everything is done in a transaction of the caller, who holds the operation's lock in it. Every time is the database's.
 */
export abstract class OperationRepository {
  /** All that is known. Rows that an earlier holder of the lock has left running go into the history as crashed. */
  abstract takeOver(manager: EntityManager, operation: string): Promise<TakenOver>;
  /** Writes down that these rows are about to run; answers the database's clock. */
  abstract start(manager: EntityManager, operation: string, fence: number, rows: readonly string[]): Promise<number>;
  /** Which of these rows run under this fence, as far as the database knows: the others have been settled. */
  abstract running(
    manager: EntityManager,
    operation: string,
    fence: number,
    rows: readonly string[],
  ): Promise<string[]>;
  abstract settle(
    manager: EntityManager,
    operation: string,
    settlements: readonly RowSettlement[],
    node: string,
  ): Promise<void>;
  /** Oldest first. */
  abstract history(operation: string, row: string): Promise<Attempt[]>;
}
