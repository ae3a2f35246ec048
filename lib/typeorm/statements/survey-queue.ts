import type { JobLevel, JobToken } from '../../job/job.js';
import type { Survey, SurveyRequest } from '../../repository/job-repository.js';
import type { QueueTables } from '../queue-tables.js';
import { statement, type Parameter, type Row, type Statement } from '../statement.js';
import { untilNextSchedule } from './plan-schedules.js';

/** One statement: an index probe for each type, one for the next due time, and now and then a look for the dead. */
export function surveyQueue(
  tables: QueueTables,
  { types, keyed = [], misfiled = false, sweep, held = [], node, schedules = false }: SurveyRequest,
): Statement {
  const unkeyed = keyed.length === 0 ? types : types.filter((type) => !keyed.includes(type));
  const parts = [nextDue(tables), readyLevels(tables, unkeyed, UNKEYED), pauses(tables)];
  if (keyed.length > 0) parts.push(readyLevels(tables, keyed, KEYED));
  if (misfiled) parts.push(misfiledTypes(tables, unkeyed));
  if (sweep) parts.push(orphans(tables));
  if (node !== undefined) parts.push(claims(tables, node));
  const [manual, others] = [held.filter((claim) => claim.manual), held.filter((claim) => !claim.manual)];
  if (others.length > 0) parts.push(lostClaims(tables, others));
  if (manual.length > 0) parts.push(takenClaims(tables, manual));
  if (schedules) parts.push(nextSchedule(tables));
  return statement(
    parts.map((part) => part.sql).join(' UNION ALL '),
    parts.flatMap((part) => part.parameters),
  );
}

export function readSurvey(rows: readonly Row[]): Survey {
  const ready: JobLevel[] = [];
  let nextDueIn: number | undefined;
  let someOrphans = false;
  const misfiled: string[] = [];
  const paused: string[] = [];
  const lost: JobToken[] = [];
  let claimed = 0;
  let nextScheduleIn: number | undefined;
  for (const { fact, type, value } of rows) {
    if (value === null) continue;
    if (fact === 'due') nextDueIn = Number(value);
    else if (fact === 'orphans') someOrphans = Number(value) > 0;
    else if (fact === 'misfiled') misfiled.push(String(type));
    else if (fact === 'paused') paused.push(String(type));
    else if (fact === 'lost') lost.push(readToken(String(type)));
    else if (fact === 'claims') claimed = Number(value);
    else if (fact === 'schedule') nextScheduleIn = Number(value);
    else ready.push({ type: String(type), priority: Number(value) });
  }
  return { ready, nextDueIn, orphans: someOrphans, misfiled, paused, lost, claims: claimed, nextScheduleIn };
}

interface Part {
  readonly sql: string;
  readonly parameters: Parameter[];
}

function nextDue({ dialect, names, service }: QueueTables): Part {
  // The first entry of the index, also for a planner without statistics, which would read all of it for MIN(due).
  const first =
    `SELECT j.due FROM ${names.job} j${dialect.forceIndex(`${names.job}_due`)} ` +
    "WHERE j.service = ? AND j.state = 'scheduled' ORDER BY j.due LIMIT 1";
  const sql = `SELECT 'due' AS fact, '' AS type, (${first}) - ${dialect.now} AS value`;
  return { sql, parameters: [service] };
}

/** How the claim index is read for types with and without keys. */
const KEYED = { where: '', order: 'j.type DESC, j.concurrency_key DESC, j.priority DESC' };
const UNKEYED = { where: " AND j.concurrency_key = ''", order: 'j.type DESC, j.priority DESC' };

/**
 * ORDER BY … LIMIT 1 reads one index entry for each type; MAX(priority) would read all entries of it, and so would MySQL if the
 * type were not part of the order. Plain SQL may have made waiting jobs of the future: they must not hide due ones of a lower
 * priority. Of a type with keys it is any level: its claim looks for the keys by itself.
 */
function readyLevels({ dialect, names, service }: QueueTables, types: readonly string[], index: typeof KEYED): Part {
  const highest =
    `SELECT j.priority FROM ${names.job} j${dialect.forceIndex(`${names.job}_claim`)} ` +
    `WHERE j.service = ? AND j.state = 'waiting' AND j.type = v.type${index.where} AND j.due <= ${dialect.now} ` +
    `ORDER BY ${index.order} LIMIT 1`;
  const sql = `SELECT 'ready' AS fact, v.type AS type, (${highest}) AS value FROM ${dialect.rows({ type: 'name' })} v`;
  return { sql, parameters: [service, JSON.stringify(types.map((type) => ({ type })))] };
}

/**
 * What no claim of a type without keys would ever see, found by one search for each type, from above: asked for a key, MariaDB and MySQL
 * would walk over all jobs without one.
 */
function misfiledTypes({ dialect, names, service }: QueueTables, types: readonly string[]): Part {
  const last =
    `SELECT j.concurrency_key FROM ${names.job} j${dialect.forceIndex(`${names.job}_claim`)} ` +
    "WHERE j.service = ? AND j.state = 'waiting' AND j.type = v.type ORDER BY j.type DESC, j.concurrency_key DESC LIMIT 1";
  const value = `CASE WHEN (${last}) > '' THEN 1 END`;
  const sql = `SELECT 'misfiled' AS fact, v.type AS type, ${value} AS value FROM ${dialect.rows({ type: 'name' })} v`;
  return { sql, parameters: [service, JSON.stringify(types.map((type) => ({ type })))] };
}

function pauses({ names, service }: QueueTables): Part {
  return {
    sql: `SELECT 'paused' AS fact, type, 1 AS value FROM ${names.pause} WHERE service = ?`,
    parameters: [service],
  };
}

/** A claim is over when its row carries another fence or is not running: cancelled, rescued, or pruned by somebody. */
function lostClaims({ dialect, names }: QueueTables, held: readonly JobToken[]): Part {
  const source = dialect.rows({ id: 'id', fence: 'integer', token: 'name' });
  const sql =
    `SELECT 'lost' AS fact, v.token AS type, 1 AS value FROM ${source} v ` +
    `LEFT JOIN ${names.job} j ON j.id = v.id AND j.fence = v.fence AND j.state = 'running' WHERE j.id IS NULL`;
  return { sql, parameters: [tokensOf(held)] };
}

/** Of manual handlers: a job that has ended under its claim was acknowledged while its handler runs, which may do so to its end. */
function takenClaims({ dialect, names }: QueueTables, held: readonly JobToken[]): Part {
  const source = dialect.rows({ id: 'id', fence: 'integer', token: 'name' });
  const taken = `${dialect.joinByKey(names.job)} ON j.id = v.id AND j.fence <> v.fence`;
  return {
    sql: `SELECT 'lost' AS fact, v.token AS type, 1 AS value FROM ${source} v ${taken}`,
    parameters: [tokensOf(held)],
  };
}

function tokensOf(held: readonly JobToken[]): string {
  return JSON.stringify(held.map(({ id, fence }) => ({ id: Number(id), fence, token: `${id}:${fence}` })));
}

/** With its fence: a node may hold an old and a new claim of the same job. */
function readToken(token: string): JobToken {
  const [id = '', fence] = token.split(':');
  return { id, fence: Number(fence) };
}

function claims({ dialect, names, service }: QueueTables, node: string): Part {
  const sql =
    `SELECT 'claims' AS fact, '' AS type, COUNT(*) AS value FROM ${names.job}${dialect.forceIndex(`${names.job}_claim`)} ` +
    "WHERE service = ? AND state = 'running' AND node_id = ?";
  return { sql, parameters: [service, Number(node)] };
}

function nextSchedule(tables: QueueTables): Part {
  return {
    sql: `SELECT 'schedule' AS fact, '' AS type, ${untilNextSchedule(tables)} AS value`,
    parameters: [tables.service, tables.service],
  };
}

function orphans({ dialect, names, service }: QueueTables): Part {
  const alive = `SELECT id FROM ${names.node} WHERE service = ? AND state = 'alive'`;
  const silent = `SELECT 1 FROM ${names.node} WHERE service = ? AND state = 'alive' AND expires_at < ${dialect.now}`;
  const running = `SELECT 1 FROM ${names.job} WHERE service = ? AND state = 'running' AND node_id NOT IN (${alive})`;
  const sql = `SELECT 'orphans' AS fact, '' AS type, CASE WHEN EXISTS (${silent}) OR EXISTS (${running}) THEN 1 ELSE 0 END AS value`;
  return { sql, parameters: [service, service, service] };
}
