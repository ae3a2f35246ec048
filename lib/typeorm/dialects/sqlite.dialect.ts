import { isErrorLike } from '../../support/is-error-like.js';
import { errorCode, updateFrom, type Dialect, type RowColumns } from './dialect.js';

export const sqliteDialect: Dialect = {
  name: 'sqlite',
  // unixepoch('subsec') is of 3.42: the tables' defaults must also work in the older programs that plain SQL comes from.
  now: "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)",
  types: {
    // AUTOINCREMENT: the id of a deleted job is never given to another one.
    id: 'INTEGER PRIMARY KEY AUTOINCREMENT',
    bigint: 'INTEGER',
    integer: 'INTEGER',
    name: () => 'TEXT',
    text: 'TEXT',
  },
  readsBytes: false,
  tableOptions: '',
  partialIndexes: true,
  claimsByReturning: false,
  writesInWith: false,
  insertsReturning: true,
  insertsFromJson: false,
  preparesByName: false,
  hasOnConflict: true,
  needsLowWaterMarks: false,
  goesOnAfterRollback: false,
  seeksByJoin: true,
  locksAreLocal: false,
  skipLocked: '',
  lockRow: '',
  sessionSetup: [],
  lockSchema: [],
  unlockSchema: [],
  skipDuplicates: () => 'ON CONFLICT DO NOTHING',
  greatest: (a, b) => `MAX(${a}, ${b})`,
  forceIndex: () => '',
  placeholders: (sql) => sql,
  rows: (columns: RowColumns) => {
    const list = Object.keys(columns).map((name) => `value ->> '${name}' AS ${name}`);
    return `(SELECT ${list.join(', ')} FROM json_each(?))`;
  },
  // One text for any number of them: it is prepared once.
  listed: (ids) => ({ sql: 'SELECT value FROM json_each(?)', parameters: [JSON.stringify(ids)] }),
  joinedUpdate: updateFrom,
  unionPart: (select) => `SELECT * FROM (${select})`,
  joinByKey: (table) => `JOIN ${table} j`,
  // CROSS: in this order.
  meetByKey: ({ table, on }) => `CROSS JOIN ${table} j ON ${on}`,
  isDuplicate: (error) => isErrorLike(error) && error.message.includes('UNIQUE constraint failed'),
  isMissingTable: (error) => isErrorLike(error) && error.message.includes('no such table'),
  isRefused: (error) => /^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG|RANGE)/.test(String(errorCode(error))),
  isLockTimeout: () => false,
  // No other server will take over: an error like every other.
  isReadOnly: () => false,
  isConnectionLost: () => false,
  isRolledBack: isBusy,
};

/** Another connection holds the lock: nothing of this transaction has been kept. */
export function isBusy(error: unknown): boolean {
  const code: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' && code.startsWith('SQLITE_BUSY');
}
