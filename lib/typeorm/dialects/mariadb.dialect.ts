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

const COLLATION = 'utf8mb4_nopad_bin';
const RECORD_CHANGED = 1020;
const CONNECTION_KILLED = 1927;
const CHECK_VIOLATED = 4025;
/** Half a surrogate pair in a string of JSON. */
const INVALID_JSON = 4038;

export const mariadbDialect: Dialect = {
  ...mysqlFamily,
  name: 'mariadb',
  readsBytes: false,
  tableOptions: tableOptions(COLLATION),
  insertsReturning: true,
  meetByKey: ({ table, on, lock }) => `${joinByKey(table)} ON ${on}${lock ? ' FOR UPDATE SKIP LOCKED' : ''}`,
  insertsFromJson: false,
  preparesByName: false,
  sessionSetup: [
    ...COMMITTED,
    // A process that is stopped in the middle of a transaction must not hold its locks for as long as it is stopped.
    'SET SESSION idle_transaction_timeout = 5, SESSION innodb_lock_wait_timeout = 2',
  ],
  rows: (columns) => jsonTable(columns, `CHARACTER SET utf8mb4 COLLATE ${COLLATION}`),
  isRefused: (error) => isOneOf([...REFUSED, CHECK_VIOLATED, INVALID_JSON], error),
  isLockTimeout: (error) => isOneOf(LOCK_TIMEOUTS, error),
  isConnectionLost: (error) => isOneOf([...CONNECTION_LOST, CONNECTION_KILLED], error) || isBrokenSocket(error),
  isRolledBack: (error) => isOneOf([DEADLOCK, RECORD_CHANGED], error),
};
