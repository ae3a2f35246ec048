import type { StepStatus, JobSteps, SavedStep, StepKind, StepState } from '../../job/step.js';
import type { RecordedError } from '../../support/serialise-error.js';
import type { QueueTables } from '../queue-tables.js';
import { optional, optionalDate, optionalMoment, parseJson } from '../row.js';
import { statement, type Row, type Statement } from '../statement.js';

export function selectSteps({ dialect, names }: QueueTables, id: number): Statement {
  return statement(
    `SELECT s.*, s.wake_at - ${dialect.now} AS time_left FROM ${names.step} s WHERE job_id = ? ORDER BY place, name`,
    [id],
  );
}

export function readSavedStep(row: Row): SavedStep {
  return {
    name: String(row['name']),
    kind: String(row['kind']) as StepKind,
    parent: String(row['parent']),
    place: Number(row['place']),
    state: String(row['state']) as StepState,
    attempts: Number(row['attempts']),
    description: optional(row['description']),
    result: optional(row['result']),
    context: optional(row['context']),
    input: optional(row['input']),
    error: parseJson(row['error']) as RecordedError | undefined,
    left: Number(row['time_left']),
  };
}

/** As `selectSteps`, for people: with the state of the job, and only of the own service. */
export function selectJobSteps({ dialect, names, service }: QueueTables, id: number): Statement {
  return statement(
    `SELECT s.*, s.wake_at - ${dialect.now} AS time_left, j.state AS job_state FROM ${names.step} s JOIN ${names.job} j ON j.id = s.job_id ` +
      'WHERE s.job_id = ? AND j.service = ? ORDER BY s.place, s.name',
    [id, service],
  );
}

/** In the order of their places, and what was called inside of a step behind it. */
export function readJobSteps(rows: readonly Row[]): JobSteps {
  const top = rows.filter((row) => String(row['parent']) === '');
  const inside = (row: Row) => rows.filter((other) => String(other['parent']) === String(row['name']));
  const current = top.find((row) => ['waiting', 'retrying'].includes(String(row['state'])));
  const read = (row: Row) => readStepStatus(row, row === current && String(row['job_state']) === 'running');
  const planned = top.filter((row) => String(row['kind']) === 'step');
  const counted = planned.length > 0 ? planned : top;
  return {
    total: counted.length,
    done: counted.map(read).filter(({ state }) => state === 'succeeded' || state === 'skipped').length,
    context: parseJson(planned.findLast((row) => row['context'] !== null)?.['context']),
    steps: top.flatMap((row) => [row, ...inside(row)]).map(read),
  };
}

function readStepStatus(row: Row, isRunning: boolean): StepStatus {
  const saved = readSavedStep(row);
  const isOver = saved.state === 'sleeping' && saved.left <= 0;
  return {
    name: saved.name,
    kind: saved.kind,
    description: saved.description,
    state: isRunning ? 'running' : isOver ? 'succeeded' : saved.state,
    attempts: saved.attempts,
    startedAt: optionalDate(optionalMoment(row['started_at'])),
    endedAt: optionalDate(optionalMoment(isOver ? row['wake_at'] : row['ended_at'])),
    wakesAt: optionalDate(optionalMoment(row['wake_at'])),
    result: parseJson(saved.result),
    error: saved.error,
  };
}
