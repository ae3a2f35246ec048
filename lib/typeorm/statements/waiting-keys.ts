import { UNFILED } from '../../job/concurrency-key.js';
import type { QueueTables } from '../queue-tables.js';
import { statement, type Parameter, type Row, type Script, type Statement } from '../statement.js';

/** A concurrency key under which due jobs wait, and the best priority among them. */
export interface WaitingKey {
  readonly key: string;
  readonly priority: number;
}

export interface WaitingKeys {
  /** In the order of the index, from above. */
  readonly keys: readonly WaitingKey[];
  /** Where the next ones are below; `undefined`: there are none. */
  readonly lowest: string | undefined;
}

/** Jobs that are read in one statement, where it takes one for each key that has more of them. */
const ENTRIES = 50;

/**
 * The next keys below one, or the highest of all: from key to key by one search of the claim index each, whatever waits under them. From
 * above, because there are the best priorities, and because the entries that InnoDB has not purged yet are those of the oldest jobs.
 * `before`: keys of an earlier look.
 */
export function* nextKeys(
  tables: QueueTables,
  type: string,
  below: string | undefined,
  most: number,
  before: readonly WaitingKey[] = [],
): Script<WaitingKeys> {
  if (!tables.dialect.seeksByJoin) return yield* stepByStep(tables, type, below, most, before);
  const { rows } = yield selectKeys(tables, type, below, most);
  const found = rows.map(({ k, priority }) => ({ key: String(k), priority: optionalPriority(priority) }));
  return { keys: found.filter(isDue), lowest: found.length < most ? undefined : found.at(-1)?.key };
}

/** The best priority of those that are due under one key. */
export function selectBestPriority({ dialect, names, service }: QueueTables, type: string, key: string): Statement {
  const best =
    `SELECT priority FROM ${names.job}${dialect.forceIndex(`${names.job}_claim`)} ` +
    `WHERE service = ? AND state = 'waiting' AND type = ? AND concurrency_key = ? AND due <= ${dialect.now} ORDER BY priority DESC LIMIT 1`;
  return statement(best, [service, type, key]);
}

export function optionalPriority(value: unknown): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}

function selectKeys({ dialect, names, service }: QueueTables, type: string, below: string | undefined, most: number) {
  const waiting = (column: string, where: string) =>
    `SELECT j.${column} FROM ${names.job} j WHERE j.service = ? AND j.state = 'waiting' AND j.type = ? AND ${where}`;
  const next = (where: string) =>
    `${waiting('concurrency_key', `j.concurrency_key > ''${where}`)} ORDER BY j.concurrency_key DESC LIMIT 1`;
  const best = `${waiting('priority', `j.concurrency_key = found.k AND j.due <= ${dialect.now}`)} ORDER BY j.priority DESC LIMIT 1`;
  const sql =
    `WITH RECURSIVE found (k, n) AS (SELECT (${next(below === undefined ? '' : ' AND j.concurrency_key < ?')}), 1 UNION ALL ` +
    `SELECT (${next(' AND j.concurrency_key < found.k')}), n + 1 FROM found WHERE k IS NOT NULL AND n < ${most}) ` +
    `SELECT k, (${best}) AS priority FROM found WHERE k IS NOT NULL`;
  const level: Parameter[] = [service, type];
  return statement(sql, [...level, ...(below === undefined ? [] : [below]), ...level, ...level]);
}

/**
 * MariaDB and MySQL search for constants only: a statement for each key that has many jobs, or for all that have few. What follows the keys
 * of an earlier look is asked in one, because most of them wait still.
 */
function* stepByStep(
  tables: QueueTables,
  type: string,
  below: string | undefined,
  most: number,
  before: readonly WaitingKey[],
): Script<WaitingKeys> {
  const following = yield* keysBelowEach(tables, type, [below, ...before.map(({ key }) => key)]);
  const keys: WaitingKey[] = [];
  let lowest = below;
  while (keys.length < most) {
    const known = following.get(lowest);
    const found = known ?? (yield selectEntries(tables, type, lowest)).rows.map(readKey);
    for (const key of found) if (keys.at(-1)?.key !== key.key) keys.push(key);
    if (found.length < (known === undefined ? ENTRIES : 1)) return { keys, lowest: undefined };
    lowest = keys.at(-1)?.key;
  }
  return { keys, lowest };
}

/** The next one below each. */
function* keysBelowEach(
  tables: QueueTables,
  type: string,
  places: readonly (string | undefined)[],
): Script<ReadonlyMap<string | undefined, readonly WaitingKey[]>> {
  if (places.length === 1) return new Map();
  const parts = places.map((below, place) =>
    selectBelow(tables, type, below, { limit: 1, columns: `, ${place} AS place` }),
  );
  const sql = parts.map((part) => tables.dialect.unionPart(part.sql)).join(' UNION ALL ');
  const { rows } = yield statement(
    sql,
    parts.flatMap(({ parameters }) => parameters),
  );
  const found = new Map(rows.map((row) => [Number(row['place']), [readKey(row)]]));
  return new Map(places.map((below, place) => [below, found.get(place) ?? []]));
}

function selectEntries(tables: QueueTables, type: string, below: string | undefined): Statement {
  return selectBelow(tables, type, below, { limit: ENTRIES, columns: '' });
}

function selectBelow(
  { dialect, names, service }: QueueTables,
  type: string,
  below: string | undefined,
  { limit, columns }: { readonly limit: number; readonly columns: string },
): Statement {
  const where = below === undefined ? '' : ' AND concurrency_key < ?';
  const sql =
    `SELECT concurrency_key AS k, priority${columns} FROM ${names.job}${dialect.forceIndex(`${names.job}_claim`)} ` +
    `WHERE service = ? AND state = 'waiting' AND type = ? AND concurrency_key > '${UNFILED}'${where} AND due <= ${dialect.now} ` +
    `ORDER BY concurrency_key DESC, priority DESC LIMIT ${limit}`;
  return statement(sql, below === undefined ? [service, type] : [service, type, below]);
}

function readKey({ k, priority }: Row): WaitingKey {
  return { key: String(k), priority: Number(priority) };
}

function isDue(key: { key: string; priority: number | undefined }): key is WaitingKey {
  return key.priority !== undefined;
}
