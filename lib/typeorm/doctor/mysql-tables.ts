import type { QueueTables } from '../queue-tables.js';
import { optional } from '../row.js';
import { statement, type Row, type Script, type Statement } from '../statement.js';
import { partsByName } from './by-name.js';
import { asCharacters, COMPUTED, plainDefault, plainType, PRIMARY_KEY } from './table-facts.js';
import type { ColumnFacts, IndexFacts, TableFacts } from './table-facts.js';

/** They tell names apart by bytes, trailing spaces included. */
const BYTEWISE = ['utf8mb4_nopad_bin', 'utf8mb4_0900_bin'];

export function* readMysqlTables(tables: QueueTables): Script<TableFacts[]> {
  const { dialect, names } = tables;
  const found = yield ofOurs(tables, 'engine AS engine', 'tables');
  const columns = yield ofOurs(
    tables,
    'column_name AS name, column_type AS type, is_nullable AS nullable, column_default AS fallback, extra AS extra, collation_name AS collation',
    'columns',
  );
  const disabled = dialect.name === 'mysql' ? "is_visible = 'NO'" : "ignored = 'YES'";
  const indexes = yield ofOurs(
    tables,
    `index_name AS name, column_name AS part, sub_part AS length, non_unique AS multiple, seq_in_index AS place, ${disabled} AS disabled`,
    'statistics',
  );
  const isMariaDb = dialect.name === 'mariadb';
  return Object.values(names).flatMap((name) => {
    const table = found.rows.find((row) => isOf(row, name));
    if (table === undefined) return [];
    const engine = String(table['engine']);
    return {
      name,
      unsafe:
        engine === 'InnoDB'
          ? undefined
          : { why: `its engine is ${engine}`, cure: `ALTER TABLE ${name} ENGINE = InnoDB` },
      columns: columns.rows.filter((row) => isOf(row, name)).map((row) => readColumn(row, isMariaDb)),
      indexes: readIndexes(indexes.rows.filter((row) => isOf(row, name))),
    };
  });
}

function ofOurs({ names }: QueueTables, columns: string, view: string): Statement {
  const ours = Object.values(names);
  return statement(
    `SELECT table_name AS place_of, ${columns} FROM information_schema.${view} ` +
      `WHERE table_schema = DATABASE() AND table_name IN (${ours.map(() => '?').join(', ')})`,
    ours,
  );
}

/** Some servers keep all names of tables in lower case. */
function isOf({ place_of: table }: Row, name: string): boolean {
  return table === name || table === name.toLowerCase();
}

function readColumn(row: Row, isMariaDb: boolean): ColumnFacts {
  const type = plainType(String(row['type']));
  const collation = optional(row['collation']);
  const extra = String(row['extra']).toLowerCase();
  const isComputed = extra.includes('auto_increment') || extra.includes('default_generated');
  const text = optional(row['fallback']);
  // MySQL writes a literal without its quotes, and one of bytes in hexadecimal.
  const literal = isMariaDb ? plainDefault(text) : fromHex(text, type);
  return {
    name: String(row['name']),
    type: asCharacters(type),
    nullable: row['nullable'] === 'YES',
    fallback: isComputed ? COMPUTED : literal,
    collation: collation === undefined || BYTEWISE.includes(collation) ? 'bytes' : collation,
  };
}

function fromHex(text: string | undefined, type: string): string | undefined {
  const [, digits] = (type.startsWith('varbinary') ? /^0x((?:[0-9a-f]{2})*)$/i.exec(text ?? '') : null) ?? [];
  return digits === undefined ? text : Buffer.from(digits, 'hex').toString();
}

function readIndexes(rows: readonly Row[]): IndexFacts[] {
  return partsByName(rows).map(([name, parts]) => ({
    name: name === 'PRIMARY' ? PRIMARY_KEY : name,
    columns: parts
      .map(({ part, length }) => (length === null ? String(part) : `${String(part)}(${Number(length)})`))
      .join(', '),
    unique: Number(parts[0]?.['multiple']) === 0,
    where: '',
    disabled: Number(parts[0]?.['disabled']) === 1,
  }));
}
