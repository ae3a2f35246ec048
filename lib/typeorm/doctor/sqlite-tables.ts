import type { QueueTables } from '../queue-tables.js';
import { optional } from '../row.js';
import { statement, type Row, type Script, type Statement } from '../statement.js';
import { partsByName } from './by-name.js';
import { COMPUTED, plainCondition, plainDefault, plainType, PRIMARY_KEY } from './table-facts.js';
import type { ColumnFacts, IndexFacts, TableFacts } from './table-facts.js';

export function* readSqliteTables(tables: QueueTables): Script<TableFacts[]> {
  const found = yield ofOurs(tables, 'm.sql AS text', '');
  const columns = yield ofOurs(
    tables,
    'p.name AS name, p.type AS type, p."notnull" AS filled, p.dflt_value AS fallback, p.pk AS pk',
    'JOIN pragma_table_info(m.name) p',
  );
  const indexes = yield ofOurs(
    tables,
    'i.name AS name, i."unique" AS sole, x.seqno AS place, x.name AS part, x.coll AS collation, s.sql AS text',
    "JOIN pragma_index_list(m.name) i ON i.origin <> 'pk' JOIN pragma_index_xinfo(i.name) x ON x.key = 1 " +
      'LEFT JOIN sqlite_master s ON s.name = i.name',
  );
  return found.rows.map(({ place_of: name, text }) => {
    const own = columns.rows.filter((row) => row['place_of'] === name);
    const isCounted = /\bAUTOINCREMENT\b/i.test(String(text));
    return {
      name: String(name),
      columns: own.map((row) => readColumn(row, isCounted)),
      indexes: [primaryKey(own), ...readIndexes(indexes.rows.filter((row) => row['place_of'] === name))],
    };
  });
}

function ofOurs({ names }: QueueTables, columns: string, joins: string): Statement {
  const ours = JSON.stringify(Object.values(names));
  return statement(
    `SELECT v.value AS place_of, ${columns} FROM json_each(?) v ` +
      `JOIN sqlite_master m ON m.name = v.value COLLATE NOCASE AND m.type = 'table' ${joins}`,
    [ours],
  );
}

function readColumn(row: Row, isCounted: boolean): ColumnFacts {
  const isKey = Number(row['pk']) > 0;
  const type = plainType(String(row['type']));
  return {
    name: String(row['name']),
    type,
    nullable: Number(row['filled']) === 0 && !isKey,
    fallback: isCounted && isKey ? COMPUTED : plainDefault(optional(row['fallback'])),
  };
}

function primaryKey(columns: readonly Row[]): IndexFacts {
  const parts = columns.filter(({ pk }) => Number(pk) > 0).sort((a, b) => Number(a['pk']) - Number(b['pk']));
  return { name: PRIMARY_KEY, columns: parts.map(({ name }) => String(name)).join(', '), unique: true, where: '' };
}

function readIndexes(rows: readonly Row[]): IndexFacts[] {
  return partsByName(rows).map(([name, parts]) => ({
    name,
    columns: parts
      .map(({ part, collation }) => `${String(part)}${collation === 'BINARY' ? '' : ` COLLATE ${String(collation)}`}`)
      .join(', '),
    unique: Number(parts[0]?.['sole']) === 1,
    where: plainCondition(/\bWHERE\b(.+)$/is.exec(String(parts[0]?.['text']))?.[1]),
  }));
}
