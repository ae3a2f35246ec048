import { ENDED_STATES } from '../../job/job-state.js';
import type { RestartedJob } from '../../repository/step-repository.js';
import { stateOf } from '../../typeorm/statements/awaiting.js';
import { beginAnew } from './change-rows.js';
import type { MemoryStore } from './memory-store.js';
import type { JobRow, StepRow } from './rows.js';
import { isOfCallbacks } from './step-rows.js';

const DONE: readonly string[] = ['succeeded', 'skipped'];

/** Lets a job that has ended begin again at one of its steps. */
export function restartRow(
  store: MemoryStore,
  row: JobRow,
  fromStep: string,
  context: string | undefined,
): RestartedJob {
  const { id, type, priority } = row;
  const state = stateOf(row);
  const answer = { id: String(id), type, priority, state, steps: [] };
  if (!ENDED_STATES.includes(state)) return { ...answer, refusal: 'state' };
  const reached = reachedSteps(store, id);
  const from = reached.find(({ name }) => name === fromStep);
  if (from === undefined) return { ...answer, refusal: 'step', steps: reached.map(({ name }) => name) };
  const isPlanned = from.kind === 'step';
  if (!isPlanned && context !== undefined) return { ...answer, refusal: 'context' };
  beginAnew(store, row);
  row.result = null;
  if (isPlanned) resetPlanned(store, from, context);
  else store.deleteSteps(id, ({ place }) => place >= from.place);
  return { ...answer, refusal: undefined };
}

/** Up to the first step that has not succeeded. */
function reachedSteps(store: MemoryStore, id: number): StepRow[] {
  const rows = store.stepsOf(id).filter(({ parent, kind }) => parent === '' && kind !== 'callback');
  const open = rows.findIndex(({ kind, state }) => kind === 'step' && !DONE.includes(state));
  return open < 0 ? rows : rows.slice(0, open + 1);
}

function resetPlanned(store: MemoryStore, from: StepRow, context: string | undefined): void {
  const these = store.stepsOf(from.job_id).filter(({ kind, place }) => kind === 'step' && place >= from.place);
  for (const step of these) {
    const input = step === from ? (context ?? step.input) : null;
    Object.assign(step, { input, state: 'waiting', attempts: 0, started_at: 0, ended_at: 0 });
    Object.assign(step, { context: null, result: null, error: null });
  }
  const parents = new Set(these.map(({ name }) => name));
  store.deleteSteps(from.job_id, (step) => isOfCallbacks(step) || parents.has(step.parent));
}
