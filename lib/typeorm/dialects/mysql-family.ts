import { errorCode, listIds, type Dialect, type JoinedUpdate, type RowColumns } from './dialect.js';

const DUPLICATE_KEY = 1062;
const NO_SUCH_TABLE = 1146;
/** Of the server, of the transaction, of the engine; a member that has lost its cluster, or has not joined it yet. */
const READ_ONLY = [1290, 1792, 1836, 1047];

/** Of a row; of the table's counter, which an INSERT … SELECT of somebody else's holds until its end. */
export const LOCK_TIMEOUTS = [1205, 1467];
export const DEADLOCK = 1213;
/** Out of range, no such character, too long, too large for a packet. */
export const REFUSED = [1153, 1264, 1292, 1366, 1406, 1690];
/** Server shutting down, server gone; a member that has lost its cluster during a COMMIT, which the others may have carried out. */
export const CONNECTION_LOST = [1053, 2006, 2013, 1180];

/** Where the server's sessions begin with autocommit = 0, a single statement of ours would be answered and never committed. */
export const COMMITTED = ['SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED', 'SET SESSION autocommit = 1'];

/** What MariaDB and MySQL have in common. */
export const mysqlFamily = {
  // UNIX_TIMESTAMP(NOW(3)) is an hour wrong in the autumn overlap of a session with a zone.
  now: "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)",
  types: {
    id: 'BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY',
    bigint: 'BIGINT',
    integer: 'INT',
    name: (length: number) => `VARCHAR(${length})`,
    text: 'LONGTEXT',
  },
  partialIndexes: false,
  claimsByReturning: false,
  writesInWith: false,
  hasOnConflict: false,
  needsLowWaterMarks: true,
  goesOnAfterRollback: true,
  seeksByJoin: false,
  locksAreLocal: false,
  skipLocked: ' FOR UPDATE SKIP LOCKED',
  lockRow: ' FOR UPDATE',
  lockSchema: ["SELECT GET_LOCK('nestjs-persistent-queue schema', 60)"],
  unlockSchema: ["SELECT RELEASE_LOCK('nestjs-persistent-queue schema')"],
  skipDuplicates: (column: string) => `ON DUPLICATE KEY UPDATE ${column} = ${column}`,
  greatest: (a: string, b: string) => `GREATEST(${a}, ${b})`,
  forceIndex: (index: string) => ` FORCE INDEX (${index})`,
  placeholders: (sql: string) => sql,
  listed: listIds,
  joinedUpdate: (update: JoinedUpdate) => {
    const assignments = Object.entries(update.set).map(([column, expression]) => `j.${column} = ${expression}`);
    return `UPDATE ${update.source} AS v ${joinByKey(update.table)} ON ${update.on} SET ${assignments.join(', ')}`;
  },
  unionPart: (select: string) => `(${select})`,
  joinByKey,
  isDuplicate: (error: unknown) => errorCode(error) === DUPLICATE_KEY,
  isMissingTable: (error: unknown) => errorCode(error) === NO_SUCH_TABLE,
  isReadOnly: (error: unknown) => isOneOf(READ_ONLY, error),
} satisfies Partial<Dialect>;

/**
 * In this order and by key: an optimizer that begins with a small table of jobs would lock all of its rows. So does an
 * INSERT … SELECT in a transaction of the application, where two jobs would deadlock.
 */
export function joinByKey(table: string): string {
  return `STRAIGHT_JOIN ${table} AS j FORCE INDEX (PRIMARY)`;
}

export function tableOptions(collation: string): string {
  return ` ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=${collation} ROW_FORMAT=DYNAMIC`;
}

/** `string` follows the type of each column that holds strings. */
export function jsonTable(columns: RowColumns, string: string): string {
  const types = { id: 'BIGINT', integer: 'BIGINT', name: `VARCHAR(255) ${string}`, text: `LONGTEXT ${string}` };
  const list = Object.entries(columns).map(([name, type]) => `${name} ${types[type]} PATH '$.${name}'`);
  return `JSON_TABLE(?, '$[*]' COLUMNS (${list.join(', ')}))`;
}

export function isOneOf(errors: readonly number[], error: unknown): boolean {
  return errors.includes(Number(errorCode(error)));
}
