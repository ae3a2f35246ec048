import { isErrorLike } from '../../support/is-error-like.js';
import type { Statement } from '../statement.js';

/** The columns of a derived table that is read out of one JSON parameter. */
export type RowColumns = Readonly<Record<string, 'id' | 'integer' | 'name' | 'text'>>;

export interface JoinedUpdate {
  readonly table: string;
  /** A derived table; its alias is `v`, that of the table is `j`. */
  readonly source: string;
  /** Column → expression over `j` and `v`. */
  readonly set: Readonly<Record<string, string>>;
  /** How `j` and `v` meet, and what else must hold. */
  readonly on: string;
}

export interface Meeting {
  readonly table: string;
  /** How `j`, which is the table, and `v` meet. */
  readonly on: string;
  readonly lock: boolean;
}

export interface ColumnTypes {
  readonly id: string;
  readonly bigint: string;
  readonly integer: string;
  /** Compared byte by byte, trailing spaces included. */
  readonly name: (length: number) => string;
  readonly text: string;
}

/** What differs between databases, and nothing else. */
export interface Dialect {
  readonly name: 'mariadb' | 'mysql' | 'postgres' | 'sqlite';
  /** UTC epoch milliseconds of the database's clock, whatever the zone of the session. */
  readonly now: string;
  readonly types: ColumnTypes;
  /** Drivers may answer names as bytes. */
  readonly readsBytes: boolean;
  /** Ends a CREATE TABLE. */
  readonly tableOptions: string;
  /** Indexes over the rows of one state only; without them the state is the index's second column. */
  readonly partialIndexes: boolean;
  /** Claims in one UPDATE … RETURNING; without it rows are locked, then updated. */
  readonly claimsByReturning: boolean;
  /** WITH … AS (UPDATE … RETURNING) may feed an INSERT, and what it reads may be locked: all in one statement. */
  readonly writesInWith: boolean;
  /** INSERT … RETURNING; without it the ids of a statement's rows are looked up by the `batch` they were inserted with. */
  readonly insertsReturning: boolean;
  /** Many rows are inserted faster from one JSON parameter than from a parameter for each value. */
  readonly insertsFromJson: boolean;
  /** Its client prepares a statement once for each connection when it is given a name. */
  readonly preparesByName: boolean;
  /** A duplicate key is answered by ON CONFLICT DO NOTHING; without it by ON DUPLICATE KEY and the insert id. */
  readonly hasOnConflict: boolean;
  /** Claims begin where the last one ended, because purged entries are walked over until the engine has removed them. */
  readonly needsLowWaterMarks: boolean;
  /** A search that begins at a value of another table goes straight there; without it, it reads all that comes before. */
  readonly seeksByJoin: boolean;
  /** After a deadlock a connection goes on without its transaction: what is written next is committed by itself. */
  readonly goesOnAfterRollback: boolean;
  /**
   * Members of a cluster do not see each other's row locks: they compare at COMMIT what each of them has written. What guards a row
   * must change it, or the change of another member passes the guard by.
   */
  readonly locksAreLocal: boolean;
  readonly skipLocked: string;
  readonly lockRow: string;
  /** Run once on each new connection. */
  readonly sessionSetup: readonly string[];
  /** Makes concurrent installers wait for each other; released by `unlockSchema`. */
  readonly lockSchema: readonly string[];
  readonly unlockSchema: readonly string[];
  /** Ends an INSERT that leaves a row with the same key as it is; `column` is any of the table's. */
  readonly skipDuplicates: (column: string) => string;
  readonly greatest: (a: string, b: string) => string;
  readonly forceIndex: (index: string) => string;
  readonly placeholders: (sql: string) => string;
  /** A derived table over a JSON array of objects, given as one parameter. */
  readonly rows: (columns: RowColumns) => string;
  /** What goes between the parentheses of `id IN (…)`. */
  readonly listed: (ids: readonly number[]) => Pick<Statement, 'sql' | 'parameters'>;
  readonly joinedUpdate: (update: JoinedUpdate) => string;
  /** A SELECT of a UNION with an order, a limit and locks of its own. */
  readonly unionPart: (select: string) => string;
  /** Joins a table as `j` to the few rows before it, by its primary key. */
  readonly joinByKey: (table: string) => string;
  /**
   * The same of any other key, also for a planner that knows nothing of the tables: ends a FROM with `v` in it. `lock`: locks what is found,
   * and goes past what others have locked.
   */
  readonly meetByKey: (meeting: Meeting) => string;
  readonly isDuplicate: (error: unknown) => boolean;
  readonly isMissingTable: (error: unknown) => boolean;
  /** The database refuses a value: trying again does not help. */
  readonly isRefused: (error: unknown) => boolean;
  /** Somebody has held a lock for longer than we wait. */
  readonly isLockTimeout: (error: unknown) => boolean;
  /** The server may only be read, as an old primary after a failover, or is out of its cluster: nothing was written. */
  readonly isReadOnly: (error: unknown) => boolean;
  /** The connection has broken: whether a statement under way was carried out is unknown. */
  readonly isConnectionLost: (error: unknown) => boolean;
  /** The database has undone the whole transaction or never began it: running it again is safe. */
  readonly isRolledBack: (error: unknown) => boolean;
}

/** The error code of a driver, also where TypeORM has wrapped it. */
export function errorCode(error: unknown): string | number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const driverError: unknown = Reflect.get(error, 'driverError');
  const source = typeof driverError === 'object' && driverError !== null ? driverError : error;
  const errno: unknown = Reflect.get(source, 'errno');
  if (typeof errno === 'number' && errno > 0) return errno;
  const code: unknown = Reflect.get(source, 'code');
  return typeof code === 'string' ? code : undefined;
}

const BROKEN_SOCKET = ['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT', 'PROTOCOL_CONNECTION_LOST'];

/** What Node and the drivers say when the connection itself has failed. */
export function isBrokenSocket(error: unknown): boolean {
  if (BROKEN_SOCKET.includes(String(errorCode(error)))) return true;
  return isErrorLike(error) && /connection (terminated|lost|is closed|was closed)|closed state/i.test(error.message);
}

/** MariaDB and MySQL: the server is full, this user has enough, by number or by the hour. PostgreSQL: full, or still starting. */
const OVERLOADED = [1040, 1203, 1226, '53300', '57P03'];

/** The server has no connection for us now: nothing has been begun. Known before the dialect is. */
export function isOverloaded(error: unknown): boolean {
  return OVERLOADED.includes(errorCode(error) ?? '');
}

/** MariaDB and MySQL: the database, the user, the table, the column, a privilege by its name. PostgreSQL: a right, the user. */
const FORBIDDEN = [1044, 1045, 1142, 1143, 1227, '42501', '28000', '28P01'];

export function isForbidden(error: unknown): boolean {
  return FORBIDDEN.includes(errorCode(error) ?? '');
}

/** `UPDATE … SET … FROM …`, as PostgreSQL and SQLite write it. */
export function updateFrom(update: JoinedUpdate): string {
  const assignments = Object.entries(update.set).map(([column, expression]) => `${column} = ${expression}`);
  return `UPDATE ${update.table} AS j SET ${assignments.join(', ')} FROM ${update.source} AS v WHERE ${update.on}`;
}

/** A parameter for each. */
export function listIds(ids: readonly number[]): Pick<Statement, 'sql' | 'parameters'> {
  return { sql: ids.map(() => '?').join(', '), parameters: ids };
}
