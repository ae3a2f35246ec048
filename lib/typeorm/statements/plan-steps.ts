import type { JobToken } from '../../job/job.js';
import type { PlannedStep } from '../../job/step.js';
import type { RecordedError } from '../../support/serialise-error.js';
import type { QueueTables } from '../queue-tables.js';
import { statement, type Parameter, type Row, type Script, type Statement } from '../statement.js';
import { holdClaim } from './hold-claim.js';

/** And what was called inside of them. */
export const OF_CALLBACKS = "(kind = 'callback' OR parent LIKE '/%')";

/** Makes the saved steps those of the definition: what has succeeded stays, what is not in it any more and had not is forgotten. */
export function* planSteps(tables: QueueTables, token: JobToken, planned: readonly PlannedStep[]): Script<boolean> {
  if (!(yield* holdClaim(tables, token))) return false;
  const id = Number(token.id);
  const { rows } = yield statement(
    `SELECT name, state, place FROM ${tables.names.step} WHERE job_id = ? AND kind = 'step'`,
    [id],
  );
  const known = new Map(rows.map((row) => [String(row['name']), row]));
  for (const step of planned) {
    const row = known.get(step.name);
    if (row !== undefined) yield* movePlanned(tables, id, step, row);
  }
  const added = planned.filter(({ name }) => !known.has(name));
  if (added.length > 0) yield insertPlanned(tables, id, added);
  const names = new Set(planned.map(({ name }) => name));
  for (const row of rows) if (!names.has(String(row['name']))) yield* forgetStep(tables, id, String(row['name']));
  return true;
}

export function reportError({ names }: QueueTables, { id, fence }: JobToken, error: RecordedError): Statement {
  return statement(`UPDATE ${names.job} SET last_error = ? WHERE id = ? AND fence = ? AND state = 'running'`, [
    JSON.stringify(error),
    Number(id),
    fence,
  ]);
}

/** Steps that have not succeeded have all their retries again, and the end of the job will be a new one. */
export function* renewSteps({ names }: QueueTables, ids: readonly number[]): Script<void> {
  const these = `job_id IN (${ids.map(() => '?').join(', ')})`;
  const isOpen = "kind = 'step' AND state IN ('retrying', 'failed')";
  yield statement(`UPDATE ${names.step} SET state = 'waiting', attempts = 0 WHERE ${these} AND ${isOpen}`, ids);
  yield statement(`DELETE FROM ${names.step} WHERE ${these} AND ${OF_CALLBACKS}`, ids);
}

function* movePlanned({ names }: QueueTables, id: number, step: PlannedStep, row: Row): Script<void> {
  const state = String(row['state']);
  const next = step.skipped ? 'skipped' : state === 'skipped' ? 'waiting' : state;
  if (next === state && Number(row['place']) === step.place) return;
  yield statement(
    `UPDATE ${names.step} SET place = ?, state = ?, description = ? WHERE job_id = ? AND name = ? AND kind = 'step'`,
    [step.place, next, step.description ?? null, id, step.name],
  );
}

function insertPlanned({ names }: QueueTables, id: number, planned: readonly PlannedStep[]): Statement {
  const rows = planned.flatMap(({ name, place, skipped, description }): Parameter[] => [
    id,
    name,
    place,
    skipped ? 'skipped' : 'waiting',
    description ?? null,
  ]);
  return statement(
    `INSERT INTO ${names.step} (job_id, name, kind, place, state, description) ` +
      `VALUES ${planned.map(() => "(?, ?, 'step', ?, ?, ?)").join(', ')}`,
    rows,
  );
}

function* forgetStep({ names }: QueueTables, id: number, name: string): Script<void> {
  yield statement(`DELETE FROM ${names.step} WHERE job_id = ? AND (name = ? OR parent = ?)`, [id, name, name]);
}
