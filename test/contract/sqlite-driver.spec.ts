import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { sqliteDriver } from '../processes/sqlite-driver.js';

interface Statement {
  reader: boolean;
  all(...parameters: unknown[]): Record<string, unknown>[];
  run(...parameters: unknown[]): { changes: number; lastInsertRowid: number };
}

interface Handle {
  inTransaction: boolean;
  prepare(sql: string): Statement;
  exec(sql: string): unknown;
  pragma(text: string): unknown;
  function(name: string, body: (value: number) => unknown): unknown;
  close(): unknown;
}

type Driver = new (file: string, options?: object) => Handle;

/** What TypeORM, the library and entities read from a driver: the same tests for all of them, so that one can replace another. */
describe('the SQLite driver', () => {
  let folder: string;
  let file: string;
  let driver: Driver;
  let handle: Handle;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pq-test-'));
    file = join(folder, 'driver.sqlite');
    const installed = () => createRequire(import.meta.url)('better-sqlite3') as Driver;
    driver = ((await sqliteDriver()) as Driver | undefined) ?? installed();
    handle = new driver(file, { timeout: 0 });
    handle.pragma('foreign_keys = ON');
    handle.exec(
      `CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT UNIQUE, part INTEGER REFERENCES item (id), size TEXT NOT NULL DEFAULT '' CHECK (size <> 'x'))`,
    );
  });
  afterEach(async () => {
    handle.close();
    await rm(folder, { recursive: true });
  });

  const codeOf = (work: () => unknown): unknown => {
    try {
      work();
    } catch (error) {
      return Reflect.get(error as object, 'code');
    }
    return 'no error';
  };

  it.each([
    ['SELECT 1', true],
    ['/* first */ WITH one AS (SELECT 1) SELECT * FROM one', true],
    ['INSERT INTO item (name) VALUES (?) RETURNING id', true],
    ['EXPLAIN SELECT 1', true],
    ['PRAGMA foreign_keys', true],
    ['PRAGMA table_info(item)', true],
    ['PRAGMA foreign_keys = ON', false],
    ['INSERT INTO item (name) VALUES (?)', false],
    ['WITH old AS (SELECT 1 AS id) DELETE FROM item WHERE id IN (SELECT id FROM old)', false],
    ['CREATE TABLE other (id)', false],
    ['BEGIN IMMEDIATE', false],
  ])('knows whether %s answers rows: %s', (sql, reads) => {
    expect(handle.prepare(sql).reader).toBe(reads);
    expect(handle.prepare('SELECT * FROM item').all()).toEqual([]);
  });

  it('answers rows as plain objects, and blobs as Buffers', () => {
    const [row] = handle.prepare('SELECT 1 AS n, ? AS text, ? AS blob, NULL AS missing').all('é', Buffer.from('ab'));
    expect(Object.getPrototypeOf(row)).toBe(Object.getPrototypeOf(handle.prepare('SELECT 1').all()[0]));
    expect(Buffer.isBuffer(row?.['blob'])).toBe(true);
    expect(row).toEqual({ n: 1, text: 'é', blob: Buffer.from('ab'), missing: null });
  });

  it('says how many rows a statement has changed, and the last id', () => {
    const insert = handle.prepare('INSERT INTO item (name) VALUES (?), (?)');
    expect(insert.run('a', 'b')).toEqual({ changes: 2, lastInsertRowid: 2 });
    expect(handle.prepare('UPDATE item SET size = ?').run('L')).toMatchObject({ changes: 2 });
    expect(handle.prepare('DELETE FROM item WHERE name = ?').run('z')).toMatchObject({ changes: 0 });
  });

  it('writes undefined as NULL, and refuses what SQLite has no type for', () => {
    handle.prepare('INSERT INTO item (name) VALUES (?)').run(undefined);
    for (const value of [new Date(), { a: 1 }, () => 1, Symbol('a')]) {
      expect(() => handle.prepare('INSERT INTO item (name) VALUES (?)').run(value)).toThrow();
    }
    expect(handle.prepare('SELECT name FROM item').all()).toEqual([{ name: null }]);
  });

  it('names each error by SQLite’s code', () => {
    const insert = handle.prepare('INSERT INTO item (id, name, part, size) VALUES (?, ?, ?, ?)');
    insert.run(1, 'a', null, 'L');
    expect(codeOf(() => insert.run(1, 'b', null, 'L'))).toBe('SQLITE_CONSTRAINT_PRIMARYKEY');
    expect(codeOf(() => insert.run(2, 'a', null, 'L'))).toBe('SQLITE_CONSTRAINT_UNIQUE');
    expect(codeOf(() => insert.run(2, 'b', 9, 'L'))).toBe('SQLITE_CONSTRAINT_FOREIGNKEY');
    expect(codeOf(() => insert.run(2, 'b', null, null))).toBe('SQLITE_CONSTRAINT_NOTNULL');
    expect(codeOf(() => insert.run(2, 'b', null, 'x'))).toBe('SQLITE_CONSTRAINT_CHECK');
    expect(codeOf(() => insert.run('b', 'b', null, 'L'))).toBe('SQLITE_MISMATCH');
    expect(() => insert.run(1, 'b', null, 'L')).toThrow(
      expect.objectContaining({ name: 'SqliteError', message: 'UNIQUE constraint failed: item.id' }),
    );
    expect(codeOf(() => handle.prepare('SELEKT 1'))).toBe('SQLITE_ERROR');
    expect(codeOf(() => handle.exec('SELECT * FROM missing'))).toBe('SQLITE_ERROR');
  });

  it('does not wait for a lock with timeout 0, and says that the file is busy', () => {
    const other = new driver(file, { timeout: 0 });
    handle.exec('BEGIN IMMEDIATE');
    expect(codeOf(() => other.exec('BEGIN IMMEDIATE'))).toBe('SQLITE_BUSY');
    expect(codeOf(() => other.prepare('INSERT INTO item (name) VALUES (?)').run('a'))).toBe('SQLITE_BUSY');
    handle.exec('ROLLBACK');
    expect(codeOf(() => other.prepare('INSERT INTO item (name) VALUES (?)').run('a'))).toBe('no error');
    other.close();
  });

  it('says when a read has grown too old to write', () => {
    handle.pragma('journal_mode = WAL');
    const other = new driver(file, { timeout: 0 });
    other.exec('BEGIN');
    other.prepare('SELECT * FROM item').all();
    handle.prepare('INSERT INTO item (name) VALUES (?)').run('a');
    expect(codeOf(() => other.prepare('INSERT INTO item (name) VALUES (?)').run('b'))).toBe('SQLITE_BUSY_SNAPSHOT');
    expect(other.inTransaction).toBe(true);
    other.close();
  });

  it('knows whether a transaction is open, and leaves it as it is', () => {
    expect(handle.inTransaction).toBe(false);
    handle.exec('BEGIN');
    handle.prepare('INSERT INTO item (name) VALUES (?)').run('a');
    expect(handle.inTransaction).toBe(true);
    handle.exec('COMMIT');
    expect(handle.inTransaction).toBe(false);
    expect(handle.prepare('SELECT name FROM item').all()).toEqual([{ name: 'a' }]);
  });

  it('reads a file without writing to it when it is told so', () => {
    const reader = new driver(file, { readonly: true, timeout: 0 });
    expect(reader.prepare('SELECT * FROM item').all()).toEqual([]);
    expect(codeOf(() => reader.exec('DELETE FROM item'))).toBe('SQLITE_READONLY');
    reader.close();
  });

  it('creates no file when it must exist', () => {
    expect(codeOf(() => new driver(join(folder, 'missing.sqlite'), { fileMustExist: true }))).toBe('SQLITE_CANTOPEN');
    new driver(file, { fileMustExist: true }).close();
  });

  it('adds functions to SQL', () => {
    handle.function('twice', (value) => value * 2);
    expect(handle.prepare('SELECT twice(4) AS eight').all()).toEqual([{ eight: 8 }]);
  });
});
