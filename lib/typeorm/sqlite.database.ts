import type { DataSource } from 'typeorm';
import { UnsupportedDatabaseError } from '../errors/unsupported-database.error.js';
import { BUSY_RETRY } from './busy-retry.js';
import { Database } from './database.js';
import { sqliteDialect } from './dialects/sqlite.dialect.js';
import { retryRolledBack } from './retry-rolled-back.js';
import { driveSync, type Result, type Row, type Script, type Statement } from './statement.js';

/** The part of better-sqlite3 that is used; NodeSqlite has it too. */
interface SqliteHandle {
  readonly inTransaction: boolean;
  prepare(sql: string): SqliteStatement;
  exec(sql: string): unknown;
}

interface SqliteStatement {
  readonly reader: boolean;
  all(...parameters: unknown[]): unknown[];
  run(...parameters: unknown[]): { changes: number | bigint; lastInsertRowid: number | bigint };
}

const CACHE_KIB = 32 * 1_024;

/**
 * One connection of our own to the application's file. Transactions run to their end without an await, so that the application's
 * own connection, whose busy wait blocks the event loop, never has to wait for one of ours in the same process.
 */
export class SqliteDatabase extends Database {
  readonly dialect = sqliteDialect;
  private readonly prepared = new Map<string, SqliteStatement>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly handle: SqliteHandle,
  ) {
    super();
    this.requireWriteAheadLog();
    // FULL: a committed job is on the disk. The driver's default in WAL mode may lose the last commits at a power cut.
    handle.exec('PRAGMA synchronous = FULL');
    // Of the driver's 2 MB not even the indexes of a backlog would stay in memory.
    handle.exec(`PRAGMA cache_size = -${CACHE_KIB}`);
  }

  query(single: Statement): Promise<Result> {
    return this.retryBusy(() => this.execute(single));
  }

  run<T>(script: () => Script<T>): Promise<T> {
    return this.retryBusy(() => driveSync(script(), (step) => this.execute(step)));
  }

  transaction<T>(script: () => Script<T>): Promise<T> {
    return this.retryBusy(() => {
      this.handle.exec('BEGIN IMMEDIATE');
      try {
        const value = driveSync(script(), (step) => this.execute(step));
        this.handle.exec('COMMIT');
        return value;
      } catch (error) {
        // SQLite ends a transaction by itself on some errors, a full disk for example.
        if (this.handle.inTransaction) this.handle.exec('ROLLBACK');
        throw error;
      }
    });
  }

  close(): Promise<void> {
    this.prepared.clear();
    return this.dataSource.destroy();
  }

  /** SQLite does not fail when it cannot: it answers the mode that it stays in. */
  private requireWriteAheadLog(): void {
    const [{ journal_mode: mode } = {}] = this.handle.prepare('PRAGMA journal_mode = WAL').all() as Row[];
    if (mode === 'wal') return;
    throw new UnsupportedDatabaseError(
      `journal mode ${String(mode)}`,
      'SQLite keeps no write-ahead log for this file',
      'Put the file on a local disk, and let no other program hold it open while it is switched over.',
    );
  }

  private retryBusy<T>(work: () => T): Promise<T> {
    return retryRolledBack(BUSY_RETRY, () => new Promise((resolve) => resolve(work())));
  }

  private execute({ sql, parameters }: Statement): Result {
    const prepared = this.prepare(sql);
    if (prepared.reader) {
      const rows = prepared.all(...parameters) as Row[];
      return { rows, affected: rows.length, insertId: 0 };
    }
    const { changes, lastInsertRowid } = prepared.run(...parameters);
    return { rows: [], affected: Number(changes), insertId: Number(lastInsertRowid) };
  }

  private prepare(sql: string): SqliteStatement {
    const known = this.prepared.get(sql);
    if (known !== undefined) return known;
    const prepared = this.handle.prepare(sql);
    if (this.prepared.size < 200) this.prepared.set(sql, prepared);
    return prepared;
  }
}
