import type { Dialect } from './dialects/dialect.js';
import type { Result, Script, Statement } from './statement.js';

/** `control`: the heartbeat's own connection. `work`: everything else. */
export type Lane = 'control' | 'work';

export interface TransactionOptions {
  readonly lane?: Lane;
  /** For how many milliseconds to try again; 0: not at all. */
  readonly patience?: number;
}

export interface RunOptions extends TransactionOptions {
  /** The script must not be carried out twice: it is tried again only if nothing of it has been sent, or the database has undone it. */
  readonly once?: boolean;
}

/** The module's own connections to the application's database. */
export abstract class Database {
  abstract readonly dialect: Dialect;

  /** One statement, committed by itself. */
  abstract query(statement: Statement, lane?: Lane): Promise<Result>;

  /**
   * A script of which each statement is committed by itself. It may be started more than once, as that of a transaction, and must
   * change nothing more then, unless it is run `once`.
   */
  abstract run<T>(script: () => Script<T>, options?: RunOptions): Promise<T>;

  /**
   * All of the script's statements or none. What the database has rolled back by itself (a deadlock, a busy file) is run
   * again, a bounded number of times; so a script may be started more than once and must keep nothing outside of itself.
   */
  abstract transaction<T>(script: () => Script<T>, options?: TransactionOptions): Promise<T>;

  abstract close(): Promise<void>;
}
