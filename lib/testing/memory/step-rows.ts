import type { PlannedStep } from '../../job/step.js';
import type { MemoryStore } from './memory-store.js';
import type { StepRow } from './rows.js';

/** Of the callbacks of a multi-step job, and what was called inside of them. */
export function isOfCallbacks({ kind, parent }: StepRow): boolean {
  return kind === 'callback' || parent.startsWith('/');
}

/** Steps that have not succeeded have all their retries again, and the end of the job will be a new one. */
export function renewSteps(store: MemoryStore, id: number): void {
  for (const step of store.stepsOf(id)) {
    const isOpen = step.kind === 'step' && (step.state === 'retrying' || step.state === 'failed');
    if (isOpen) Object.assign(step, { state: 'waiting', attempts: 0 });
  }
  store.deleteSteps(id, isOfCallbacks);
}

export function newStep(step: Pick<StepRow, 'job_id' | 'name' | 'kind' | 'place'> & Partial<StepRow>): StepRow {
  return {
    parent: '',
    state: 'waiting',
    attempts: 0,
    description: null,
    started_at: 0,
    ended_at: 0,
    wake_at: 0,
    context: null,
    input: null,
    result: null,
    error: null,
    ...step,
  };
}

/** Makes the saved steps those of the definition: what has succeeded stays, what is not in it any more and had not is forgotten. */
export function planRows(store: MemoryStore, id: number, planned: readonly PlannedStep[]): void {
  const known = store.stepsOf(id).filter(({ kind }) => kind === 'step');
  for (const { name, place, description = null, skipped } of planned) {
    const row = known.find((step) => step.name === name);
    if (row === undefined) {
      const state = skipped ? 'skipped' : 'waiting';
      store.steps.push(newStep({ job_id: id, name, kind: 'step', place, state, description }));
    } else {
      const back = row.state === 'skipped' ? 'waiting' : row.state;
      const state = skipped ? 'skipped' : back;
      if (state !== row.state || place !== row.place) Object.assign(row, { place, state, description });
    }
  }
  for (const { name } of known) {
    if (planned.some((step) => step.name === name)) continue;
    store.deleteSteps(id, (step) => step.name === name || step.parent === name);
  }
}
