import type { DueTime, JobToken } from '../../job/job.js';
import type { StepEnd, StepPlace } from '../../job/step.js';
import type { StepAnswer } from '../../repository/step-repository.js';
import type { QueueTables } from '../queue-tables.js';
import { statement, type Parameter, type Script, type Statement } from '../statement.js';
import { holdClaim } from './hold-claim.js';

/**
 * Writes the end of one attempt of a step. Whoever writes about a job's steps holds the job's row, so that what is read in here stays
 * true until it is written. Run twice, because the answer to its commit was lost, it changes nothing more.
 */
export function* saveStep(tables: QueueTables, token: JobToken, end: StepEnd): Script<StepAnswer> {
  if (!(yield* holdClaim(tables, token))) return 'lost';
  const state = yield* stateOf(tables, token, end);
  if (state === 'succeeded') return 'succeeded before';
  yield state === undefined ? insertStep(tables, token, end) : updateStep(tables, token, end);
  return 'saved';
}

/** Writes down when a sleep is over, unless that is known; answers how many milliseconds are left. `undefined`: the claim is over. */
export function* saveSleep(
  tables: QueueTables,
  token: JobToken,
  { name, kind, parent, place }: StepPlace,
  wake: DueTime,
): Script<number | undefined> {
  const { dialect, names } = tables;
  if (!(yield* holdClaim(tables, token))) return undefined;
  const until = 'at' in wake ? { sql: '?', at: wake.at } : { sql: `${dialect.now} + ?`, at: wake.delay };
  yield statement(
    `INSERT INTO ${names.step} (job_id, name, kind, parent, place, state, started_at, wake_at) ` +
      `VALUES (?, ?, ?, ?, ?, 'sleeping', ${dialect.now}, ${until.sql}) ${dialect.skipDuplicates('job_id')}`,
    [Number(token.id), name, kind, parent, place, until.at],
  );
  const { rows } = yield statement(
    `SELECT wake_at - ${dialect.now} AS time_left FROM ${names.step} WHERE job_id = ? AND name = ?`,
    [Number(token.id), name],
  );
  return Number(rows[0]?.['time_left']);
}

function* stateOf({ names }: QueueTables, { id }: JobToken, { name }: StepPlace): Script<unknown> {
  const { rows } = yield statement(`SELECT state FROM ${names.step} WHERE job_id = ? AND name = ?`, [Number(id), name]);
  return rows[0] === undefined ? undefined : String(rows[0]['state']);
}

function insertStep({ dialect, names }: QueueTables, { id }: JobToken, end: StepEnd): Statement {
  const { name, kind, parent, place } = end;
  return statement(
    `INSERT INTO ${names.step} (job_id, name, kind, parent, place, state, attempts, started_at, ended_at, context, result, error) ` +
      `VALUES (?, ?, ?, ?, ?, ?, ?, ${dialect.now} - ?, ${dialect.now} - ?, ?, ?, ?)`,
    [Number(id), name, kind, parent, place, ...valuesOf(end)],
  );
}

function updateStep({ dialect, names }: QueueTables, { id }: JobToken, end: StepEnd): Statement {
  return statement(
    `UPDATE ${names.step} SET state = ?, attempts = ?, started_at = ${dialect.now} - ?, ended_at = ${dialect.now} - ?, ` +
      'context = ?, result = ?, error = ? WHERE job_id = ? AND name = ?',
    [...valuesOf(end), Number(id), end.name],
  );
}

/** Ages, not times: only the database's clock is stored. */
function valuesOf({ state, attempts, startedAt, endedAt, context, result, error }: StepEnd): Parameter[] {
  const now = performance.now();
  const age = (time: number) => Math.max(0, Math.round(now - time));
  const recorded = error === undefined ? null : JSON.stringify(error);
  return [state, attempts, age(startedAt), age(endedAt), context ?? null, result ?? null, recorded];
}
