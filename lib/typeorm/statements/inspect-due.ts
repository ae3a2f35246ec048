import { PRIORITIES } from '../../job/job.js';
import type { OldestDueJob } from '../../repository/inspection-repository.js';
import type { QueueTables } from '../queue-tables.js';
import { statement, type Row, type Script, type Statement } from '../statement.js';
import { handledTypes, unhandledAmong } from './unhandled-types.js';

/** Types without a handler are searched for one after another. */
const BOUNDS = { types: 500, looks: 100 };
/** SQLite takes 999 parameters at least. */
const MOST_IDS = 500;

/**
 * The oldest due job of each type: its first of each priority is found by one search of the claim index, and the oldest of these is it.
 * The cost is that of the types, whatever waits behind.
 */
export function* inspectOldestDue(tables: QueueTables): Script<OldestDueJob[]> {
  const handled = yield* handledTypes(tables);
  const types = [...new Set([...handled, ...(yield* unhandledAmong(tables, handled, BOUNDS))])];
  const first = yield firstOfLevels(tables, types);
  const ids = first.rows.flatMap(({ id }) => (id === null ? [] : [Number(id)]));
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

/** In the order of the whole index: by due alone, MariaDB would sort a type whose name it has to convert. */
function firstOfLevels({ dialect, names, service }: QueueTables, types: readonly string[]): Statement {
  const first =
    `SELECT j.id FROM ${names.job} j${dialect.forceIndex(`${names.job}_claim`)} ` +
    'WHERE j.service = ? AND ' +
    `j.state = 'waiting' AND j.type = v.type AND j.concurrency_key = '' AND j.priority = v.priority AND j.due <= ${dialect.now} ` +
    'ORDER BY j.type, j.priority, j.due, j.id LIMIT 1';
  const levels = types.flatMap((type) => PRIORITIES.map((priority) => ({ type, priority })));
  return statement(`SELECT (${first}) AS id FROM ${dialect.rows({ type: 'name', priority: 'integer' })} v`, [
    service,
    JSON.stringify(levels),
  ]);
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
