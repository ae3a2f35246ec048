import { ENDED_STATES } from '../../job/job-state.js';
import type { RestartedJob, WhichJob } from '../../repository/step-repository.js';
import type { QueueTables } from '../queue-tables.js';
import { numericId } from '../row.js';
import { statement, type Row, type Script, type Statement } from '../statement.js';
import { stateOf } from './awaiting.js';
import { writeJob } from './change-job.js';
import { retryColumns } from './filter-jobs.js';
import { hasKey } from './has-key.js';
import { OF_CALLBACKS } from './plan-steps.js';

const DONE = ['succeeded', 'skipped'];

/** Lets a job that has ended begin again at one of its steps. Its row is locked: of two at the same moment, one finds it open. */
export function* restartJob(
  tables: QueueTables,
  which: WhichJob,
  fromStep: string,
  context: string | undefined,
): Script<RestartedJob | undefined> {
  const row = (yield lockJob(tables, which)).rows[0];
  if (row === undefined) return undefined;
  const id = Number(row['id']);
  const state = stateOf(row);
  const answer = { id: String(id), type: String(row['type']), priority: Number(row['priority']), state, steps: [] };
  if (!ENDED_STATES.includes(state)) return { ...answer, refusal: 'state' };
  const reached = yield* reachedSteps(tables, id);
  const from = reached.find(({ name }) => String(name) === fromStep);
  if (from === undefined) return { ...answer, refusal: 'step', steps: reached.map(({ name }) => String(name)) };
  const isPlanned = String(from['kind']) === 'step';
  if (!isPlanned && context !== undefined) return { ...answer, refusal: 'context' };
  yield* isPlanned ? resetPlanned(tables, id, from, context) : forgetCalls(tables, id, from);
  yield* writeJob(tables, id, { ...retryColumns(tables.dialect.now), result: 'NULL' }, [], row);
  return { ...answer, refusal: undefined };
}

function lockJob({ dialect, names, service }: QueueTables, which: WhichJob): Statement {
  const columns = `SELECT id, type, priority, state, delivered_at, past_key FROM ${names.job}`;
  if ('id' in which)
    return statement(`${columns} WHERE service = ? AND id = ?${dialect.lockRow}`, [service, numericId(which.id)]);
  const has = hasKey(dialect, { service: '?', type: '?', key: '?' });
  return statement(`${columns} WHERE ${has}${dialect.lockRow}`, [service, which.type, which.key]);
}

/** Up to the first step that has not succeeded. */
function* reachedSteps({ names }: QueueTables, id: number): Script<Row[]> {
  const { rows } = yield statement(
    `SELECT name, kind, place, state FROM ${names.step} WHERE job_id = ? AND parent = '' AND kind <> 'callback' ORDER BY place`,
    [id],
  );
  const open = rows.findIndex((row) => String(row['kind']) === 'step' && !DONE.includes(String(row['state'])));
  return open < 0 ? [...rows] : rows.slice(0, open + 1);
}

function* resetPlanned({ names }: QueueTables, id: number, from: Row, context: string | undefined): Script<void> {
  const place = Number(from['place']);
  const these = "job_id = ? AND kind = 'step' AND place >= ?";
  const { rows } = yield statement(`SELECT name FROM ${names.step} WHERE ${these}`, [id, place]);
  yield statement(
    `UPDATE ${names.step} SET input = CASE WHEN place = ? THEN COALESCE(?, input) ELSE NULL END, state = 'waiting', attempts = 0, ` +
      `context = NULL, result = NULL, error = NULL, started_at = 0, ended_at = 0 WHERE ${these}`,
    [place, context ?? null, id, place],
  );
  const parents = rows.map(({ name }) => String(name));
  yield statement(
    `DELETE FROM ${names.step} WHERE job_id = ? AND (${OF_CALLBACKS} OR parent IN (${parents.map(() => '?').join(', ')}))`,
    [id, ...parents],
  );
}

function* forgetCalls({ names }: QueueTables, id: number, from: Row): Script<void> {
  yield statement(`DELETE FROM ${names.step} WHERE job_id = ? AND place >= ?`, [id, Number(from['place'])]);
}
