import { errorCode, type Dialect } from './dialect.js';
import { DEADLOCK, jsonTable, LOCK_WAIT_TIMEOUT, mysqlFamily, tableOptions } from './mysql-family.js';

/** NO PAD: 'a' and 'a ' are two names. */
const COLLATION = 'utf8mb4_0900_bin';

/** Group replication has rolled back at the commit: another member has changed the same row. */
const LOST_CERTIFICATION = 3101;
const LOCK_NOWAIT = 3572;

export const mysqlDialect: Dialect = {
  ...mysqlFamily,
  name: 'mysql',
  tableOptions: tableOptions(COLLATION),
  insertsReturning: false,
  // No COLLATE, which older servers do not know here: compared with a column of the tables, its binary collation wins.
  rows: (columns) => jsonTable(columns, 'CHARACTER SET utf8mb4'),
  isLockTimeout: (error) => [LOCK_WAIT_TIMEOUT, LOCK_NOWAIT].includes(Number(errorCode(error))),
  isRolledBack: (error) => [DEADLOCK, LOST_CERTIFICATION].includes(Number(errorCode(error))),
};
