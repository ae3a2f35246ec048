import type { EntityManager } from 'typeorm';
import type { Dialect } from '../dialects/dialect.js';

/** What the database says of a table. */
export interface TableFacts {
  /** `undefined`: there is none with this name. */
  readonly kind: 'table' | 'view' | undefined;
  readonly columns: ReadonlyMap<string, ColumnFacts>;
  readonly indexes: readonly IndexFacts[];
}

export interface ColumnFacts {
  readonly kind: 'whole' | 'text' | 'json' | 'uuid' | 'other';
  /** As the database calls it. */
  readonly type: string;
  /** Of a text, in characters. */
  readonly length: number | undefined;
}

export interface IndexFacts {
  readonly unique: boolean;
  /** A part that is no whole column has a name that no column has. */
  readonly columns: readonly string[];
}

interface Catalog {
  readonly kind: string;
  readonly columns: string;
  readonly indexes: string;
}

const MYSQL: Catalog = {
  kind: 'SELECT TABLE_TYPE AS kind FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?',
  columns:
    'SELECT COLUMN_NAME AS name, DATA_TYPE AS type, CHARACTER_MAXIMUM_LENGTH AS length FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? ' +
    'ORDER BY ORDINAL_POSITION',
  indexes:
    "SELECT INDEX_NAME AS index_name, CONCAT(COLUMN_NAME, CASE WHEN SUB_PART IS NULL THEN '' ELSE '()' END) AS name, " +
    '1 - NON_UNIQUE AS is_unique FROM information_schema.STATISTICS ' +
    'WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? ORDER BY INDEX_NAME, SEQ_IN_INDEX',
};

const CATALOGS: Readonly<Record<Dialect['name'], Catalog>> = {
  mariadb: MYSQL,
  mysql: MYSQL,
  postgres: {
    kind: 'SELECT table_type AS kind FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = ?',
    columns:
      'SELECT column_name AS name, data_type AS type, character_maximum_length AS length FROM information_schema.columns ' +
      'WHERE table_schema = current_schema() AND table_name = ? ORDER BY ordinal_position',
    indexes:
      'SELECT i.relname AS index_name, a.attname AS name, x.indisunique::int AS is_unique FROM pg_index x ' +
      'JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid ' +
      'CROSS JOIN LATERAL unnest(x.indkey) WITH ORDINALITY AS k(attnum, place) ' +
      'LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum ' +
      'WHERE k.place <= x.indnkeyatts AND t.relname = ? AND t.relnamespace = current_schema()::regnamespace AND x.indpred IS NULL ORDER BY i.relname, k.place',
  },
  sqlite: {
    kind: "SELECT type AS kind FROM sqlite_master WHERE type IN ('table', 'view') AND name = ?",
    columns: 'SELECT name, type FROM pragma_table_info(?)',
    indexes:
      'WITH t(name) AS (SELECT ?) ' +
      'SELECT l.name AS index_name, i.name, l."unique" AS is_unique FROM t, pragma_index_list(t.name) l, pragma_index_info(l.name) i ' +
      "WHERE l.partial = 0 UNION ALL SELECT 'primary', c.name, 1 FROM t, pragma_table_info(t.name) c WHERE c.pk > 0",
  },
};

/** Looks a table of the application's up, in the schema that its connection is in. */
export async function readCatalog(manager: EntityManager, dialect: Dialect, table: string): Promise<TableFacts> {
  const { kind, columns, indexes } = CATALOGS[dialect.name];
  const ask = (sql: string) => manager.query<Record<string, unknown>[]>(dialect.placeholders(sql), [table]);
  const [found] = await ask(kind);
  if (found === undefined) return { kind: undefined, columns: new Map(), indexes: [] };
  const facts = (await ask(columns)).map((row) => [String(row['name']), toColumn(row)] as const);
  return {
    kind: /view/i.test(String(found['kind'])) ? 'view' : 'table',
    columns: new Map(facts),
    indexes: toIndexes(await ask(indexes)),
  };
}

function toColumn({ type: given, length }: Record<string, unknown>): ColumnFacts {
  const type = String(given).toLowerCase();
  return { kind: kindOf(type), type, length: length === null || length === undefined ? undefined : Number(length) };
}

function kindOf(type: string): ColumnFacts['kind'] {
  if (/^((tiny|small|medium|big)?int(eger)?|int[248])(\(\d+\))?( unsigned)?$/.test(type)) return 'whole';
  if (/^(var)?char|^character|^(tiny|medium|long)?text|^enum/.test(type)) return 'text';
  if (/^jsonb?$/.test(type)) return 'json';
  return type === 'uuid' ? 'uuid' : 'other';
}

function toIndexes(rows: readonly Record<string, unknown>[]): IndexFacts[] {
  const found = new Map<unknown, { unique: boolean; columns: string[] }>();
  for (const { index_name: index, name, is_unique: unique } of rows) {
    const known = found.get(index) ?? { unique: Number(unique) === 1, columns: [] };
    known.columns.push(typeof name === 'string' ? name : '()');
    found.set(index, known);
  }
  return [...found.values()];
}
