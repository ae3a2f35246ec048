/** SQLite's result codes by number; of the extended ones those that applications tell apart. */
const NAMES: Readonly<Record<number, string>> = {
  1: 'ERROR',
  2: 'INTERNAL',
  3: 'PERM',
  4: 'ABORT',
  5: 'BUSY',
  6: 'LOCKED',
  7: 'NOMEM',
  8: 'READONLY',
  9: 'INTERRUPT',
  10: 'IOERR',
  11: 'CORRUPT',
  12: 'NOTFOUND',
  13: 'FULL',
  14: 'CANTOPEN',
  15: 'PROTOCOL',
  17: 'SCHEMA',
  18: 'TOOBIG',
  19: 'CONSTRAINT',
  20: 'MISMATCH',
  21: 'MISUSE',
  22: 'NOLFS',
  23: 'AUTH',
  25: 'RANGE',
  26: 'NOTADB',
  261: 'BUSY_RECOVERY',
  275: 'CONSTRAINT_CHECK',
  517: 'BUSY_SNAPSHOT',
  773: 'BUSY_TIMEOUT',
  787: 'CONSTRAINT_FOREIGNKEY',
  1299: 'CONSTRAINT_NOTNULL',
  1555: 'CONSTRAINT_PRIMARYKEY',
  1811: 'CONSTRAINT_TRIGGER',
  2067: 'CONSTRAINT_UNIQUE',
  2579: 'CONSTRAINT_ROWID',
  3091: 'CONSTRAINT_DATATYPE',
};

/**
 * Runs `work`; an error of SQLite's gets the name and the `code` it has in better-sqlite3, such as `SQLITE_BUSY`. In `node:sqlite` every one has
 * the same code, and the retries of a busy file would not know it.
 */
export function withSqliteCodes<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (isSqliteError(error)) Object.assign(error, { name: 'SqliteError', code: nameOf(error.errcode) });
    throw error;
  }
}

function isSqliteError(error: unknown): error is { errcode: number } {
  return (
    typeof error === 'object' &&
    error !== null &&
    Reflect.get(error, 'code') === 'ERR_SQLITE_ERROR' &&
    typeof Reflect.get(error, 'errcode') === 'number'
  );
}

/** The low byte of an extended code is the code that it refines. */
function nameOf(code: number): string {
  return `SQLITE_${NAMES[code] ?? NAMES[code & 0xff] ?? `UNKNOWN_${code}`}`;
}
