import { statSync } from 'node:fs';
import type { QueueTables } from '../queue-tables.js';
import { statement, type Script } from '../statement.js';

export interface SqliteFacts {
  readonly file: string;
  readonly journal: string;
  /** Milliseconds. */
  readonly busyTimeout: number;
  readonly bytes: number;
  readonly freeBytes: number;
  /** Of the write-ahead log beside it. */
  readonly logBytes: number;
}

export function* readSqlite(_tables: QueueTables): Script<SqliteFacts> {
  const files = yield statement('PRAGMA database_list');
  const file = String(files.rows.find(({ name }) => name === 'main')?.['file']);
  const journal = String(yield* pragma('journal_mode'));
  const busyTimeout = Number(yield* pragma('busy_timeout'));
  const pageSize = Number(yield* pragma('page_size'));
  const bytes = Number(yield* pragma('page_count')) * pageSize;
  const freeBytes = Number(yield* pragma('freelist_count')) * pageSize;
  const logBytes = statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  return { file, journal, busyTimeout, bytes, freeBytes, logBytes };
}

/** Some answer under another name than their own. */
function* pragma(name: string): Script<unknown> {
  const { rows } = yield statement(`PRAGMA ${name}`);
  return Object.values(rows[0] ?? {})[0];
}

/** What is wrong with the file, at most so many things; none: nothing. */
export function* findDamage(_tables: QueueTables, most: number): Script<string[]> {
  const { rows } = yield statement(`PRAGMA quick_check(${most})`);
  return rows.map((row) => String(row['quick_check'])).filter((text) => text !== 'ok');
}
