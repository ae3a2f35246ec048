import { UNFILED } from '../../job/concurrency-key.js';
import { PRIORITIES } from '../../job/job.js';
import type { OldestDueJob } from '../../repository/inspection-repository.js';
import type { QueueTables } from '../queue-tables.js';
import { statement, type Row, type Script, type Statement } from '../statement.js';
import { handledTypes, unhandledAmong } from './unhandled-types.js';
import { nextKeys } from './waiting-keys.js';

/** Types without a handler are searched for one after another. */
const BOUNDS = { types: 500, looks: 100 };
/** SQLite takes 999 parameters at least. */
const MOST_IDS = 500;
/** Of a type with concurrency keys: to find one may take a statement. */
const MOST_KEYS = 200;
/** Searches of one statement. */
const MOST_LEVELS = 1_000;

interface Level {
  readonly type: string;
  readonly k: string;
  readonly priority: number;
}

/**
 * The oldest due job of each type: its first of each key and priority is found by one search of the claim index, and the oldest of these is
 * it. The cost is that of the types and their keys, whatever waits behind.
 */
export function* inspectOldestDue(tables: QueueTables): Script<OldestDueJob[]> {
  const handled = yield* handledTypes(tables);
  const types = [...new Set([...handled, ...(yield* unhandledAmong(tables, handled, BOUNDS))])];
  const levels = (yield* keysOf(tables, types)).flatMap((key) => PRIORITIES.map((priority) => ({ ...key, priority })));
  const ids: number[] = [];
  for (let at = 0; at < levels.length; at += MOST_LEVELS) {
    const first = yield firstOfLevels(tables, levels.slice(at, at + MOST_LEVELS));
    ids.push(...first.rows.flatMap(({ id }) => (id === null ? [] : [Number(id)])));
  }
  const oldest = new Map<string, OldestDueJob>();
  for (let at = 0; at < ids.length; at += MOST_IDS) {
    const { rows } = yield selectDues(tables, ids.slice(at, at + MOST_IDS));
    // Some may have been claimed since.
    for (const job of rows.filter(({ state }) => state === 'waiting').map(readDue)) {
      const known = oldest.get(job.type);
      if (known === undefined || isBefore(job, known)) oldest.set(job.type, job);
    }
  }
  return [...oldest.values()].sort((a, b) => (isBefore(a, b) ? -1 : 1));
}

/** Each type without a key, and with each key under which jobs of it wait. */
function* keysOf(tables: QueueTables, types: readonly string[]): Script<Omit<Level, 'priority'>[]> {
  const keys = types.map((type) => ({ type, k: UNFILED }));
  const keyed = (yield lastKeys(tables, types)).rows.filter(({ k }) => k !== null && k !== UNFILED);
  for (const { type } of keyed) {
    let below: string | undefined;
    let seen = 0;
    do {
      const found = yield* nextKeys(tables, String(type), below, MOST_KEYS - seen);
      keys.push(...found.keys.map(({ key }) => ({ type: String(type), k: key })));
      seen += found.keys.length;
      below = found.lowest;
    } while (below !== undefined && seen < MOST_KEYS);
  }
  return keys;
}

/** One search for each type, from above: an optimizer would walk over all jobs without a key to find one that has some. */
function lastKeys({ dialect, names, service }: QueueTables, types: readonly string[]): Statement {
  const last =
    `SELECT j.concurrency_key FROM ${names.job} j${dialect.forceIndex(`${names.job}_claim`)} ` +
    "WHERE j.service = ? AND j.state = 'waiting' AND j.type = v.type ORDER BY j.type DESC, j.concurrency_key DESC LIMIT 1";
  return statement(`SELECT v.type, (${last}) AS k FROM ${dialect.rows({ type: 'name' })} v`, [
    service,
    JSON.stringify(types.map((type) => ({ type }))),
  ]);
}

/** In the order of the whole index: by due alone, MariaDB would sort a type whose name it has to convert. */
function firstOfLevels({ dialect, names, service }: QueueTables, levels: readonly Level[]): Statement {
  const first =
    `SELECT j.id FROM ${names.job} j${dialect.forceIndex(`${names.job}_claim`)} ` +
    `WHERE j.service = ? AND j.state = 'waiting' AND j.type = v.type AND j.concurrency_key = v.k AND j.priority = v.priority ` +
    `AND j.due <= ${dialect.now} ORDER BY j.type, j.concurrency_key, j.priority, j.due, j.id LIMIT 1`;
  const source = dialect.rows({ type: 'name', k: 'name', priority: 'integer' });
  return statement(`SELECT (${first}) AS id FROM ${source} v`, [service, JSON.stringify(levels)]);
}

/** Asked for the state too, a planner without statistics would read the whole index of waiting jobs. */
function selectDues({ dialect, names }: QueueTables, ids: readonly number[]): Statement {
  return statement(
    `SELECT id, type, state, due, ${dialect.now} - due AS age FROM ${names.job} WHERE id IN (${ids.map(() => '?').join(', ')})`,
    ids,
  );
}

function readDue(row: Row): OldestDueJob {
  return {
    type: String(row['type']),
    id: String(row['id']),
    dueAt: new Date(Number(row['due'])),
    age: Number(row['age']),
  };
}

function isBefore(a: OldestDueJob, b: OldestDueJob): boolean {
  const later = a.dueAt.getTime() - b.dueAt.getTime();
  return later < 0 || (later === 0 && Number(a.id) < Number(b.id));
}
