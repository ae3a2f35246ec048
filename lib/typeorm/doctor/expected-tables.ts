import type { Dialect } from '../dialects/dialect.js';
import type { QueueTables } from '../queue-tables.js';
import type { Table } from '../schema/define-table.js';
import { tableDefinitions } from '../schema/tables.js';
import { asCharacters, COMPUTED, plainCondition, plainDefault, plainType, PRIMARY_KEY } from './table-facts.js';
import type { ColumnFacts, IndexFacts, TableFacts } from './table-facts.js';

/** What the definitions make, read from the same text that makes it. */
export function expectedTables({ dialect, names }: QueueTables): TableFacts[] {
  return tableDefinitions(dialect, names).map((table) => ({
    name: table.name,
    columns: Object.entries(table.columns).map(([name, definition]) => column(name, definition)),
    indexes: [primaryKey(table), ...(table.indexes ?? []).map((index) => ofDialect(dialect, index))],
  }));
}

function column(name: string, definition: string): ColumnFacts {
  const [type = ''] = /^\w+(\(\d+\))?/.exec(definition) ?? [];
  const isGenerated = /AUTO_?INCREMENT|IDENTITY/.test(definition);
  const [, fallback] = / DEFAULT (.+)$/.exec(definition) ?? [];
  return {
    name,
    type: asCharacters(plainType(type)),
    nullable: !/NOT NULL|PRIMARY KEY/.test(definition),
    fallback: isGenerated ? COMPUTED : plainDefault(fallback),
    collation: /^var/i.test(type) ? 'bytes' : undefined,
  };
}

function primaryKey({ columns, constraints = [] }: Table): IndexFacts {
  const [, listed] = constraints.map((text) => /^PRIMARY KEY \((.+)\)$/.exec(text)).find((match) => match) ?? [];
  const [inline] = Object.entries(columns).find(([, definition]) => definition.includes('PRIMARY KEY')) ?? [];
  return { name: PRIMARY_KEY, columns: listed ?? inline ?? '', unique: true, where: '' };
}

function ofDialect(dialect: Dialect, { name, columns, unique = false, where }: IndexDefinition): IndexFacts {
  return { name, columns, unique, where: dialect.partialIndexes ? plainCondition(where) : '' };
}

type IndexDefinition = NonNullable<Table['indexes']>[number];
