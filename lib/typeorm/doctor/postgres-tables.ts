import type { QueueTables } from '../queue-tables.js';
import { optional } from '../row.js';
import { statement, type Row, type Script, type Statement } from '../statement.js';
import { COMPUTED, plainCondition, plainDefault, plainType, PRIMARY_KEY } from './table-facts.js';
import type { ColumnFacts, IndexFacts, TableFacts } from './table-facts.js';

const COLUMNS =
  'a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull::int AS filled, ' +
  'pg_get_expr(d.adbin, d.adrelid) AS fallback, a.attidentity::text AS identity, c.collname AS collation';

const INDEXES =
  'n.relname AS name, i.indisunique::int AS sole, i.indisprimary::int AS main, ' +
  '(NOT (i.indisvalid AND i.indisready))::int AS disabled, pg_get_expr(i.indpred, i.indrelid) AS condition, ' +
  "(SELECT string_agg(pg_get_indexdef(i.indexrelid, k, true), ', ' ORDER BY k) FROM generate_series(1, i.indnkeyatts) k) AS columns";

export function* readPostgresTables(tables: QueueTables): Script<TableFacts[]> {
  const found = yield ofOurs(tables, 't.relpersistence::text AS kept', '', 'true');
  const columns = yield ofOurs(
    tables,
    COLUMNS,
    'JOIN pg_attribute a ON a.attrelid = t.oid LEFT JOIN pg_attrdef d ON d.adrelid = t.oid AND d.adnum = a.attnum ' +
      'LEFT JOIN pg_collation c ON c.oid = a.attcollation',
    'a.attnum > 0 AND NOT a.attisdropped',
  );
  const indexes = yield ofOurs(
    tables,
    INDEXES,
    'JOIN pg_index i ON i.indrelid = t.oid JOIN pg_class n ON n.oid = i.indexrelid',
    'true',
  );
  return found.rows.map(({ place_of: name, kept }) => ({
    name: String(name),
    unsafe:
      kept === 'p'
        ? undefined
        : {
            why: 'it is UNLOGGED, and a crash of the server empties it',
            cure: `ALTER TABLE ${String(name)} SET LOGGED`,
          },
    columns: columns.rows.filter((row) => row['place_of'] === name).map(readColumn),
    indexes: indexes.rows.filter((row) => row['place_of'] === name).map(readIndex),
  }));
}

/** As our statements find them: by the search path. */
function ofOurs({ dialect, names }: QueueTables, columns: string, joins: string, where: string): Statement {
  const ours = JSON.stringify(Object.values(names).map((name) => ({ name })));
  return statement(
    `SELECT v.name AS place_of, ${columns} FROM ${dialect.rows({ name: 'name' })} v ` +
      `JOIN pg_class t ON t.oid = to_regclass(v.name) ${joins} WHERE ${where}`,
    [ours],
  );
}

function readColumn(row: Row): ColumnFacts {
  const collation = optional(row['collation']);
  return {
    name: String(row['name']),
    type: plainType(String(row['type'])),
    nullable: Number(row['filled']) === 0,
    fallback: optional(row['identity']) ? COMPUTED : plainDefault(optional(row['fallback'])),
    collation: collation === undefined || collation === 'C' || collation === 'POSIX' ? 'bytes' : collation,
  };
}

function readIndex(row: Row): IndexFacts {
  return {
    name: Number(row['main']) === 1 ? PRIMARY_KEY : String(row['name']),
    columns: String(row['columns']),
    unique: Number(row['sole']) === 1,
    where: plainCondition(optional(row['condition'])),
    disabled: Number(row['disabled']) === 1,
  };
}
