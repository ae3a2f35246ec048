import { existsSync } from 'node:fs';
import { describeValue } from '../errors/describe-value.js';
import { InvalidOptionError } from '../errors/invalid-option.error.js';
import { isInTransaction, isReader, openNative, type NativeDatabase } from './native.js';
import { withSqliteCodes } from './sqlite-error.js';

/**
 * What TypeORM hands over from the DataSource's options.
 *
 * @publicApi
 */
export interface NodeSqliteOptions {
  readonly readonly?: boolean;
  readonly fileMustExist?: boolean;
  /** How long a statement waits for a lock, in milliseconds; the event loop stands still meanwhile. */
  readonly timeout?: number;
  readonly verbose?: unknown;
  readonly nativeBinding?: unknown;
}

/**
 * A prepared statement with better-sqlite3's interface.
 *
 * @publicApi
 */
export interface NodeSqliteStatement {
  /** Whether it answers rows. */
  readonly reader: boolean;
  all(...parameters: unknown[]): Record<string, unknown>[];
  run(...parameters: unknown[]): { changes: number | bigint; lastInsertRowid: number | bigint };
}

/**
 * Node's own SQLite (`node:sqlite`, Node 22.13 and newer) with as much of better-sqlite3's interface as TypeORM uses:
 *
 * ```ts
 * TypeOrmModule.forRoot({ type: 'better-sqlite3', driver: NodeSqlite, database: 'shop.sqlite', enableWAL: true, timeout: 0 })
 * ```
 *
 * @publicApi
 */
export class NodeSqlite {
  private readonly native: NativeDatabase;

  constructor(file: string, options: NodeSqliteOptions = {}) {
    const { readonly = false, fileMustExist = false, timeout = 5_000 } = options;
    refuseUnknown(options);
    if (fileMustExist && !existsSync(file)) {
      throw Object.assign(new Error('unable to open database file'), { code: 'SQLITE_CANTOPEN' });
    }
    this.native = withSqliteCodes(() => openNative(file, readonly));
    this.pragma(`busy_timeout = ${timeout}`);
  }

  get inTransaction(): boolean {
    return isInTransaction(this.native);
  }

  prepare(sql: string): NodeSqliteStatement {
    const statement = withSqliteCodes(() => this.native.prepare(sql));
    return {
      reader: withSqliteCodes(() => isReader(this.native, statement, sql)),
      all: (...parameters) => withSqliteCodes(() => statement.all(...parameters.map(bindable))).map(plainRow),
      run: (...parameters) => withSqliteCodes(() => statement.run(...parameters.map(bindable))),
    };
  }

  exec(sql: string): this {
    withSqliteCodes(() => this.native.exec(sql));
    return this;
  }

  pragma(text: string): Record<string, unknown>[] {
    return this.prepare(`PRAGMA ${text}`).all();
  }

  /** Adds a function to SQL, for TypeORM's `prepareDatabase`: its name, options of `node:sqlite` if any, and the function. */
  function(name: string, ...definition: unknown[]): this {
    this.native.function(name, ...definition);
    return this;
  }

  close(): this {
    this.native.close();
    return this;
  }
}

/** Left out silently, they would be missed in production. */
function refuseUnknown(options: NodeSqliteOptions): void {
  for (const name of ['verbose', 'nativeBinding'] as const) {
    const value = options[name];
    if (value === undefined || value === null) continue;
    throw new InvalidOptionError(`DataSource.${name}`, value, 'node:sqlite has nothing like it: leave it out.');
  }
}

/** `node:sqlite` takes an object for named parameters, of which a Date has none: it would write NULL in the date's place. */
function bindable(value: unknown): unknown {
  if (value === undefined) return null;
  const isObject = typeof value === 'object' || typeof value === 'function';
  if (!isObject || value === null || ArrayBuffer.isView(value)) return value;
  throw new TypeError(
    `SQLite binds only numbers, strings, bigints, buffers and null (got ${describeValue(value)}). Convert the value first.`,
  );
}

/** `node:sqlite` answers objects without a prototype, and blobs that are no Buffers: entities and libraries expect both. */
function plainRow(row: Record<string, unknown>): Record<string, unknown> {
  const plain: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(row)) plain[name] = ArrayBuffer.isView(value) ? toBuffer(value) : value;
  return plain;
}

function toBuffer({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
}
