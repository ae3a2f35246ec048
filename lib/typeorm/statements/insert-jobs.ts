import { randomInt } from 'node:crypto';
import { KeyTakenError } from '../../errors/key-taken.error.js';
import type { EnqueuedJob, NewJob } from '../../job/job.js';
import type { RowColumns } from '../dialects/dialect.js';
import type { QueueTables } from '../queue-tables.js';
import { COLUMN_GROUPS, OPTIONAL } from './optional-columns.js';
import { statement, type Parameter, type Result, type Script, type Statement } from '../statement.js';

const MOST_ROWS = 1_000;
const MOST_BYTES = 4 * 1024 * 1024;

/** Far above any id, and their sum still a safe integer: marks an insert id as that of the first job with the key. */
const TAKEN = 2 ** 52;

/** How often a key may be taken when we insert and free when we look, before we stop believing it. */
const MOST_RACES = 10;

/** The most that a random number of Node can be. */
const HIGHEST_BATCH = 2 ** 48 - 1;

/** Inserts all jobs in the order given and answers in that order. */
export function* insertJobs(
  tables: QueueTables,
  jobs: readonly NewJob[],
  onProgress?: (done: number) => void,
): Script<EnqueuedJob[]> {
  const enqueued: EnqueuedJob[] = [];
  for (const chunk of chunks(jobs)) {
    const first = chunk[0];
    if (first?.key === undefined) enqueued.push(...(yield* insertPlain(tables, chunk)));
    else enqueued.push(yield* insertOrRefuse(tables, first, first.key));
    onProgress?.(enqueued.length);
  }
  return enqueued;
}

/** Whether all of it is one statement, which is all or nothing by itself. */
export function isOneInsert({ dialect }: QueueTables, jobs: readonly NewJob[]): boolean {
  if (jobs.some(({ key }) => key !== undefined)) return false;
  return jobs.length === 1 || (dialect.insertsReturning && [...chunks(jobs)].length === 1);
}

function* insertPlain(tables: QueueTables, jobs: readonly NewJob[]): Script<EnqueuedJob[]> {
  const { rows } = yield* insertAndName(tables, jobs);
  // One statement numbers its rows in their order, but may answer them in another.
  const ids = rows.map((row) => Number(row['id'])).sort((a, b) => a - b);
  return ids.map((id) => ({ id: String(id), created: true }));
}

function* insertAndName(tables: QueueTables, jobs: readonly NewJob[]): Script<Pick<Result, 'rows'>> {
  const { dialect } = tables;
  if (!dialect.insertsReturning) return yield* insertBatch(tables, jobs);
  return yield dialect.insertsFromJson ? insertFrom(tables, jobs) : insertInto(tables, jobs, 'RETURNING id');
}

/**
 * Without RETURNING only the id of the first row is answered. The next ones need not be one higher each: clusters count in steps of
 * auto_increment_increment, which changes with their members while connections are open, and with innodb_autoinc_lock_mode = 2
 * the manual promises ids without gaps only while no INSERT … SELECT runs beside this one. So the rows carry a number that no
 * statement near them has, and are looked up by it: a walk along the primary key, over hardly more than these rows.
 */
function* insertBatch(tables: QueueTables, jobs: readonly NewJob[]): Script<Pick<Result, 'rows'>> {
  if (jobs.length === 1) return { rows: [{ id: (yield insertInto(tables, jobs, '')).insertId }] };
  const batch = randomInt(HIGHEST_BATCH);
  const { insertId } = yield insertInto(tables, jobs, '', batch);
  return yield statement(`SELECT id FROM ${tables.names.job} WHERE id >= ? AND batch = ? ORDER BY id LIMIT ?`, [
    insertId,
    batch,
    jobs.length,
  ]);
}

function* insertOrRefuse(tables: QueueTables, job: NewJob, key: string): Script<EnqueuedJob> {
  const answer = yield* insertKeyed(tables, job, key);
  if (answer.created || !job.refusesOtherPayload) return answer;
  const { rows } = yield statement(`SELECT payload FROM ${tables.names.job} WHERE id = ?${tables.dialect.lockRow}`, [
    Number(answer.id),
  ]);
  if (rows[0]?.['payload'] === job.payload) return answer;
  throw new KeyTakenError(
    key,
    answer.id,
    `Job ${answer.id} of '${job.type}' has it, with another payload: give another key, or look at that job.`,
  );
}

function* insertKeyed(tables: QueueTables, job: NewJob, key: string): Script<EnqueuedJob> {
  if (!tables.dialect.hasOnConflict) return fromInsertId(yield insertInto(tables, [job], ON_DUPLICATE_KEY));
  const onConflict = 'ON CONFLICT (service, type, job_key) WHERE job_key IS NOT NULL DO NOTHING RETURNING id';
  for (let race = 0; race < MOST_RACES; race++) {
    const inserted = (yield insertInto(tables, [job], onConflict)).rows[0];
    if (inserted !== undefined) return { id: String(inserted['id']), created: true };
    const first = (yield firstWithKey(tables, job.type, key)).rows[0];
    if (first !== undefined) return { id: String(first['id']), created: false };
  }
  throw new Error(
    `The key '${key}' of '${job.type}' is taken at each insert and free at each look: ${MOST_RACES} times.`,
  );
}

/**
 * One statement that changes nothing when the key is taken: LAST_INSERT_ID(expression) carries the first job's id out, marked.
 * A look afterwards would not do: in a REPEATABLE READ transaction of the caller the first job may be invisible.
 */
const ON_DUPLICATE_KEY = `ON DUPLICATE KEY UPDATE fence = fence + 0 * LAST_INSERT_ID(id + ${TAKEN})`;

function fromInsertId({ insertId }: Result): EnqueuedJob {
  return insertId > TAKEN ? { id: String(insertId - TAKEN), created: false } : { id: String(insertId), created: true };
}

function insertInto(
  { dialect, names, service }: QueueTables,
  jobs: readonly NewJob[],
  ending: string,
  batch?: number,
): Statement {
  const optional = OPTIONAL.filter(({ of }) => jobs.some((job) => of(job) !== undefined));
  const more = [...optional.map(({ column }) => column), ...(batch === undefined ? [] : ['batch'])];
  const parameters: Parameter[] = [];
  const rows = jobs.map((job) => {
    const due = dueTime(job, dialect.now, dialect.greatest);
    parameters.push(service, job.type, ...due.stateParameters, job.priority, ...due.parameters, job.payload);
    for (const { of, without } of optional) parameters.push(of(job) ?? without);
    if (batch !== undefined) parameters.push(batch);
    return `(?, ?, ${due.state}, ?, ${due.sql}, ?${', ?'.repeat(more.length)})`;
  });
  const columns = ['service, type, state, priority, due, payload', ...more].join(', ');
  return statement(`INSERT INTO ${names.job} (${columns}) VALUES ${rows.join(', ')} ${ending}`, parameters);
}

/** The same of jobs without keys, with one text for any number of them: thousands of parameters take longer to bind than to insert. */
function insertFrom({ dialect, names, service }: QueueTables, jobs: readonly NewJob[]): Statement {
  const groups = COLUMN_GROUPS.filter(({ isIn }) => jobs.some(isIn));
  const own: RowColumns = Object.assign({}, ...groups.map((group) => group.columns));
  const source = dialect.rows({
    line: 'integer',
    type: 'name',
    priority: 'integer',
    delay: 'integer',
    at: 'integer',
    reference: 'name',
    trace_id: 'name',
    deadline: 'integer',
    payload: 'text',
    ...own,
  });
  const isLater = `v.delay > 0 OR v.at > ${dialect.now}`;
  const due = `CASE WHEN v.at IS NULL THEN ${dialect.now} + v.delay ELSE ${dialect.greatest(dialect.now, 'v.at')} END`;
  const more = Object.keys(own);
  const columns = ['service, type, state, priority, due, reference, trace_id, deadline, payload', ...more].join(', ');
  const values =
    `?, v.type, CASE WHEN ${isLater} THEN 'scheduled' ELSE 'waiting' END, v.priority, ${due}, v.reference, v.trace_id, v.deadline, ` +
    ['v.payload', ...more.map((column) => `v.${column}`)].join(', ');
  const rows = jobs.map((job, line) => ({
    line,
    type: job.type,
    priority: job.priority,
    ...('at' in job.due ? { at: job.due.at } : { delay: job.due.delay }),
    reference: job.reference,
    trace_id: job.traceId,
    deadline: job.deadline,
    payload: job.payload,
    ...Object.assign({}, ...groups.map(({ of }) => of(job))),
  }));
  return {
    name: ['insert jobs', ...groups.map(({ name }) => name)].join(' with '),
    sql: `INSERT INTO ${names.job} (${columns}) SELECT ${values} FROM ${source} v ORDER BY v.line RETURNING id`,
    parameters: [service, JSON.stringify(rows)],
  };
}

interface DueSql {
  readonly state: string;
  readonly stateParameters: Parameter[];
  readonly sql: string;
  readonly parameters: Parameter[];
}

/** Both the due time and the state are decided by the database's clock: the caller's may be an hour off. */
function dueTime({ due }: NewJob, now: string, greatest: (a: string, b: string) => string): DueSql {
  if ('delay' in due) {
    if (due.delay === 0) return { state: "'waiting'", stateParameters: [], sql: now, parameters: [] };
    return { state: "'scheduled'", stateParameters: [], sql: `${now} + ?`, parameters: [due.delay] };
  }
  const state = `CASE WHEN ? > ${now} THEN 'scheduled' ELSE 'waiting' END`;
  return { state, stateParameters: [due.at], sql: greatest(now, '?'), parameters: [due.at] };
}

function firstWithKey({ names, service }: QueueTables, type: string, key: string): Statement {
  return statement(`SELECT id FROM ${names.job} WHERE service = ? AND type = ? AND job_key = ?`, [service, type, key]);
}

/** Keyed jobs go one by one, because each needs its own answer; the others together, bounded in rows and bytes. */
function* chunks(jobs: readonly NewJob[]): Generator<NewJob[]> {
  let chunk: NewJob[] = [];
  let bytes = 0;
  for (const job of jobs) {
    if (
      chunk.length > 0 &&
      (job.key !== undefined || chunk.length === MOST_ROWS || bytes + job.payload.length > MOST_BYTES)
    ) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(job);
    bytes += job.payload.length;
    if (job.key !== undefined) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
  }
  if (chunk.length > 0) yield chunk;
}
