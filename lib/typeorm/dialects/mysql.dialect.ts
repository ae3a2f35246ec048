import { isBrokenSocket, type Dialect } from './dialect.js';
import {
  CONNECTION_LOST,
  DEADLOCK,
  isOneOf,
  joinByKey,
  jsonTable,
  LOCK_TIMEOUTS,
  mysqlFamily,
  COMMITTED,
  REFUSED,
  tableOptions,
} from './mysql-family.js';

/** NO PAD: 'a' and 'a ' are two names. Since 8.0.17. */
const COLLATION = 'utf8mb4_0900_bin';
const BYTES_OF_A_CHARACTER = 4;

const QUERY_INTERRUPTED = 1317;
const SESSION_KILLED = 3169;
const DISCONNECTED_FOR_INACTIVITY = 4031;
const LOST_SESSION = [QUERY_INTERRUPTED, SESSION_KILLED, DISCONNECTED_FOR_INACTIVITY];

/** Group replication has rolled back at the commit: another member has changed the same row. */
const LOST_CERTIFICATION = 3101;
const LOCK_NOWAIT = 3572;
const CHECK_VIOLATED = 3819;
/** Half a surrogate pair in a string of JSON, JSON that is nested too deeply. */
const INVALID_JSON = [3140, 3141, 3157];

export const mysqlDialect: Dialect = {
  ...mysqlFamily,
  name: 'mysql',
  // The tables may have been made by a server that was older then.
  readsBytes: true,
  tableOptions: tableOptions(COLLATION),
  insertsReturning: false,
  // Without OF, JSON_TABLE would be named twice.
  meetByKey: ({ table, on, lock }) => `${joinByKey(table)} ON ${on}${lock ? ' FOR UPDATE OF j SKIP LOCKED' : ''}`,
  insertsFromJson: false,
  preparesByName: false,
  sessionSetup: [
    ...COMMITTED,
    // A process that is stopped in the middle of a transaction must not hold its locks for as long as it is stopped. This server
    // has a limit for idle connections only: ours are opened again when they are needed.
    'SET SESSION wait_timeout = 5, SESSION innodb_lock_wait_timeout = 2',
  ],
  // No COLLATE, which older servers do not know here: compared with a column of the tables, its binary collation wins.
  rows: (columns) => jsonTable(columns, 'CHARACTER SET utf8mb4'),
  isRefused: (error) => isOneOf([...REFUSED, ...INVALID_JSON, CHECK_VIOLATED], error),
  isLockTimeout: (error) => isOneOf([...LOCK_TIMEOUTS, LOCK_NOWAIT], error),
  isConnectionLost: (error) => isOneOf([...CONNECTION_LOST, ...LOST_SESSION], error) || isBrokenSocket(error),
  isRolledBack: (error) => isOneOf([DEADLOCK, LOST_CERTIFICATION], error),
};

/** Before 8.0.17 every collation that tells 'A' from 'a' and 'á' from 'a\u0301' ignores trailing spaces: there, names are bytes. */
export const mysqlDialectOfBytes: Dialect = {
  ...mysqlDialect,
  types: { ...mysqlDialect.types, name: (length) => `VARBINARY(${length * BYTES_OF_A_CHARACTER})` },
  tableOptions: tableOptions('utf8mb4_bin'),
};
