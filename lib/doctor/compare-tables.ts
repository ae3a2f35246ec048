import type { ColumnFacts, IndexFacts, TableFacts } from '../typeorm/doctor/table-facts.js';
import { PRIMARY_KEY } from '../typeorm/doctor/table-facts.js';
import { error, warning, type Verdict } from './check.js';

/** A table as it should be and as it is. */
export interface ComparedTable {
  readonly expected: TableFacts;
  readonly found: TableFacts;
}

export function compareColumns({ expected, found }: ComparedTable): Verdict[] {
  const actual = new Map(found.columns.map((column) => [column.name, column]));
  const own = expected.columns.flatMap((column) => compareColumn(found.name, column, actual.get(column.name)));
  const known = new Set(expected.columns.map(({ name }) => name));
  const others = found.columns.filter(({ name }) => !known.has(name));
  return [...own, ...others.map((column) => judgeStranger(found.name, column))];
}

function compareColumn(table: string, expected: ColumnFacts, found: ColumnFacts | undefined): Verdict[] {
  const name = `${table}.${expected.name}`;
  if (found === undefined)
    return [error(`The column ${name} is missing.`, `Add it: ${describe(expected)}, or restore the tables.`)];
  const cure = `Alter it to ${describe(expected)}.`;
  const verdicts: Verdict[] = [];
  if (found.type !== expected.type) {
    const tell = isWider(found.type, expected.type) ? warning : error;
    verdicts.push(tell(`The column ${name} is ${found.type}, and was made as ${expected.type}.`, cure));
  }
  if (found.nullable !== expected.nullable) {
    // Our statements write every column without NULL themselves; what may not be NULL any more is refused.
    const tell = found.nullable ? warning : error;
    verdicts.push(
      tell(`The column ${name} is ${found.nullable ? 'nullable' : 'NOT NULL'}, and was not made so.`, cure),
    );
  }
  if (found.fallback !== expected.fallback)
    verdicts.push(
      error(
        `The column ${name} has the default ${found.fallback ?? 'none'}, not ${expected.fallback ?? 'none'}.`,
        cure,
      ),
    );
  return verdicts;
}

function describe({ type, nullable, fallback }: ColumnFacts): string {
  return `${type}${nullable ? '' : ' NOT NULL'}${fallback === undefined ? '' : ` DEFAULT ${fallback}`}`;
}

/** It takes all that ours would. */
function isWider(found: string, expected: string): boolean {
  if (expected === 'integer') return found === 'bigint';
  const [foundLength, expectedLength] = [found, expected].map((type) => Number(/^varchar\((\d+)\)$/.exec(type)?.[1]));
  return Number(foundLength) > Number(expectedLength);
}

function judgeStranger(table: string, { name, nullable, fallback }: ColumnFacts): Verdict {
  const column = `${table}.${name}`;
  if (!nullable && fallback === undefined)
    return error(
      `${column} is not ours, NOT NULL and without a default: no row can be inserted.`,
      'Drop it, or give it a default.',
    );
  return warning(
    `${column} is not ours.`,
    'Keep your own columns in a table of your own: an upgrade may want the name.',
  );
}

/** Names that are not compared by bytes are other names. */
export function compareCollations({ expected, found }: ComparedTable): Verdict[] {
  const actual = new Map(found.columns.map((column) => [column.name, column]));
  return expected.columns.flatMap(({ name, collation }) => {
    const is = actual.get(name)?.collation;
    if (collation === undefined || is === undefined || is === collation) return [];
    return error(
      `The column ${found.name}.${name} has the collation ${is}: names that differ may count as the same.`,
      'Alter it to the collation that the table was made with: see docs/doctor.md.',
    );
  });
}

export function compareIndexes({ expected, found }: ComparedTable): Verdict[] {
  const actual = new Map(found.indexes.map((index) => [index.name, index]));
  const own = expected.indexes.flatMap((index) => compareIndex(found.name, index, actual.get(index.name)));
  const known = new Set(expected.indexes.map(({ name }) => name));
  const others = found.indexes.filter(({ name }) => !known.has(name));
  return [
    ...own,
    ...others.map(({ name, columns }) =>
      warning(`The index ${name} (${columns}) on ${found.name} is not ours: every job writes to it.`, `Drop ${name}.`),
    ),
  ];
}

function compareIndex(table: string, expected: IndexFacts, found: IndexFacts | undefined): Verdict[] {
  const name = expected.name === PRIMARY_KEY ? `The primary key of ${table}` : `The index ${expected.name} on ${table}`;
  const cure = `Make it again: ${define(expected)}.`;
  if (found === undefined) return [error(`${name} is missing.`, cure)];
  if (found.disabled === true)
    return [error(`${name} is not used by the database: it is invisible, ignored or invalid.`, cure)];
  if (define(found) === define(expected)) return [];
  return [error(`${name} is ${define(found)}, and was made as ${define(expected)}.`, cure)];
}

function define({ columns, unique, where }: IndexFacts): string {
  return `${unique ? 'unique ' : ''}(${columns})${where === '' ? '' : ` where ${where}`}`;
}
