import type { SavedStep, StepKind, StepState } from '../../job/step.js';
import type { RecordedError } from '../../support/serialise-error.js';
import type { QueueTables } from '../queue-tables.js';
import { optional, parseJson } from '../row.js';
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
