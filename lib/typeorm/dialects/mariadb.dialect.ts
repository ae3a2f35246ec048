import { errorCode, isBrokenSocket, type Dialect, type JoinedUpdate, type RowColumns } from './dialect.js';

const COLLATION = 'utf8mb4_nopad_bin';
const DUPLICATE_KEY = 1062;
const NO_SUCH_TABLE = 1146;
const LOCK_WAIT_TIMEOUT = 1205;
const DEADLOCK = 1213;
const RECORD_CHANGED = 1020;

/** Out of range, no such character, too long, check violated, too large for a packet. */
const REFUSED = [1153, 1264, 1292, 1366, 1406, 1690, 3819, 4025];
/** Server shutting down, connection killed, server gone. */
const CONNECTION_LOST = [1053, 1927, 2006, 2013];

const JSON_TYPES = {
  id: 'BIGINT',
  integer: 'BIGINT',
  name: `VARCHAR(255) CHARACTER SET utf8mb4 COLLATE ${COLLATION}`,
  text: `LONGTEXT CHARACTER SET utf8mb4 COLLATE ${COLLATION}`,
};

export const mariadbDialect: Dialect = {
  name: 'mariadb',
  // UNIX_TIMESTAMP(NOW(3)) is an hour wrong in the autumn overlap of a session with a zone.
  now: "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)",
  types: {
    id: 'BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY',
    bigint: 'BIGINT',
    integer: 'INT',
    name: (length) => `VARCHAR(${length})`,
    text: 'LONGTEXT',
  },
  tableOptions: ` ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=${COLLATION} ROW_FORMAT=DYNAMIC`,
  partialIndexes: false,
  claimsByReturning: false,
  hasOnConflict: false,
  needsLowWaterMarks: true,
  skipLocked: ' FOR UPDATE SKIP LOCKED',
  lockRow: ' FOR UPDATE',
  sessionSetup: [
    'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
    // A process that is stopped in the middle of a transaction must not hold its locks for as long as it is stopped.
    'SET SESSION idle_transaction_timeout = 5, SESSION innodb_lock_wait_timeout = 2',
  ],
  lockSchema: ["SELECT GET_LOCK('nestjs-persistent-queue schema', 60)"],
  unlockSchema: ["SELECT RELEASE_LOCK('nestjs-persistent-queue schema')"],
  skipDuplicates: (column) => `ON DUPLICATE KEY UPDATE ${column} = VALUES(${column})`,
  greatest: (a, b) => `GREATEST(${a}, ${b})`,
  forceIndex: (index) => ` FORCE INDEX (${index})`,
  placeholders: (sql) => sql,
  rows: (columns: RowColumns) => {
    const list = Object.entries(columns).map(([name, type]) => `${name} ${JSON_TYPES[type]} PATH '$.${name}'`);
    return `JSON_TABLE(?, '$[*]' COLUMNS (${list.join(', ')}))`;
  },
  joinedUpdate: (update: JoinedUpdate) => {
    const assignments = Object.entries(update.set).map(([column, expression]) => `j.${column} = ${expression}`);
    // In this order and by key: an optimizer that begins with a small table of jobs would lock all of its rows.
    return `UPDATE ${update.source} AS v STRAIGHT_JOIN ${update.table} AS j FORCE INDEX (PRIMARY) ON ${update.on} SET ${assignments.join(', ')}`;
  },
  isDuplicate: (error) => errorCode(error) === DUPLICATE_KEY,
  isMissingTable: (error) => errorCode(error) === NO_SUCH_TABLE,
  isRefused: (error) => REFUSED.includes(Number(errorCode(error))),
  isLockTimeout: (error) => errorCode(error) === LOCK_WAIT_TIMEOUT,
  isConnectionLost: (error) => CONNECTION_LOST.includes(Number(errorCode(error))) || isBrokenSocket(error),
  isRolledBack: (error) => [DEADLOCK, RECORD_CHANGED].includes(Number(errorCode(error))),
};
