import { errorCode, type Dialect, type JoinedUpdate, type RowColumns } from './dialect.js';

const COLLATION = 'utf8mb4_nopad_bin';
const DUPLICATE_KEY = 1062;
const NO_SUCH_TABLE = 1146;
const LOCK_WAIT_TIMEOUT = 1205;
const DEADLOCK = 1213;
const RECORD_CHANGED = 1020;

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
  sessionSetup: ['SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED'],
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
    return `UPDATE ${update.table} AS j JOIN ${update.source} AS v ON ${update.on} SET ${assignments.join(', ')}`;
  },
  isDuplicate: (error) => errorCode(error) === DUPLICATE_KEY,
  isMissingTable: (error) => errorCode(error) === NO_SUCH_TABLE,
  isRolledBack: (error) => [DEADLOCK, LOCK_WAIT_TIMEOUT, RECORD_CHANGED].includes(Number(errorCode(error))),
};
