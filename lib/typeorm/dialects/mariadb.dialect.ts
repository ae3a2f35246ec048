import { errorCode, type Dialect } from './dialect.js';
import { DEADLOCK, jsonTable, LOCK_WAIT_TIMEOUT, mysqlFamily, tableOptions } from './mysql-family.js';

const COLLATION = 'utf8mb4_nopad_bin';
const RECORD_CHANGED = 1020;

export const mariadbDialect: Dialect = {
  ...mysqlFamily,
  name: 'mariadb',
  tableOptions: tableOptions(COLLATION),
  insertsReturning: true,
  sessionSetup: [
    ...mysqlFamily.sessionSetup,
    // A process that is stopped in the middle of a transaction must not hold its locks for as long as it is stopped.
    'SET SESSION idle_transaction_timeout = 5',
  ],
  rows: (columns) => jsonTable(columns, `CHARACTER SET utf8mb4 COLLATE ${COLLATION}`),
  isLockTimeout: (error) => errorCode(error) === LOCK_WAIT_TIMEOUT,
  isRolledBack: (error) => [DEADLOCK, RECORD_CHANGED].includes(Number(errorCode(error))),
};
