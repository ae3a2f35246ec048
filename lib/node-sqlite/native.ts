import { UnsupportedDatabaseError } from '../errors/unsupported-database.error.js';

/** What is used of `node:sqlite`: a Node without the module has no types of it either. */
export interface NativeDatabase {
  /** Since Node 22.16. */
  readonly isTransaction?: boolean;
  prepare(sql: string): NativeStatement;
  exec(sql: string): void;
  function(name: string, ...definition: unknown[]): void;
  close(): void;
}

export interface NativeStatement {
  all(...parameters: unknown[]): Record<string, unknown>[];
  run(...parameters: unknown[]): { changes: number | bigint; lastInsertRowid: number | bigint };
  /** Since Node 22.16. */
  columns?(): unknown[];
}

interface NodeSqliteModule {
  DatabaseSync: new (file: string, options: { readOnly: boolean }) => NativeDatabase;
}

/** Asked for when it is needed and not imported: the import would fail in every Node 20, before anybody could say why. */
export function openNative(file: string, readOnly: boolean): NativeDatabase {
  const native = process.getBuiltinModule('node:sqlite') as NodeSqliteModule | undefined;
  if (native === undefined) {
    throw new UnsupportedDatabaseError(
      process.version,
      'This Node has no node:sqlite',
      'Run Node 22.13 or newer, or leave out the driver option and install better-sqlite3.',
    );
  }
  return new native.DatabaseSync(file, { readOnly });
}

export function isInTransaction(database: NativeDatabase): boolean {
  if (database.isTransaction !== undefined) return database.isTransaction;
  try {
    // Takes no lock; SQLite refuses it inside a transaction, and leaves that one as it is.
    database.exec('BEGIN DEFERRED');
  } catch {
    return true;
  }
  database.exec('ROLLBACK');
  return false;
}

/** Whether the statement answers rows. */
export function isReader(database: NativeDatabase, statement: NativeStatement, sql: string): boolean {
  if (statement.columns !== undefined) return statement.columns().length > 0;
  // Its bytecode tells it, except that nothing explains an EXPLAIN.
  if (/^\s*EXPLAIN\b/i.test(sql)) return true;
  return database
    .prepare(`EXPLAIN ${sql}`)
    .all()
    .some(({ opcode }) => opcode === 'ResultRow');
}
