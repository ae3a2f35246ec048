import type { StepDefinition } from '../handler/registered-handler.js';
import type { PlannedStep, SavedStep } from '../job/step.js';

export interface Resumption {
  /** The index of the first step that has to be run; the number of steps when all of them are done. */
  readonly from: number;
  /** The last finished step. */
  readonly last: SavedStep | undefined;
  /** What has to be written down about the plan before that; `undefined` when it is as it is saved. */
  readonly changed: readonly PlannedStep[] | undefined;
}

/**
 * Where a job goes on that may have been begun by an older definition: after the last step that it has finished. That is possible when
 * every finished step is still there, in the same order; otherwise the names of those that stand in the way are answered. A step that
 * was added before a finished one is left out: its moment has passed.
 */
export function matchPlan(
  steps: readonly StepDefinition[],
  saved: readonly SavedStep[],
): Resumption | { readonly missing: string[] } {
  const finished = saved.filter(({ kind, state }) => kind === 'step' && state === 'succeeded');
  const indexes = finished.map(({ name }) => steps.findIndex((step) => step.name === name));
  const missing = finished.filter((_, n) => (indexes[n] as number) <= (indexes[n - 1] ?? -1)).map(({ name }) => name);
  if (missing.length > 0) return { missing };
  const from = (indexes.at(-1) ?? -1) + 1;
  const names = new Set(finished.map(({ name }) => name));
  const planned = steps.map(({ name, description }, index) => ({
    name,
    description,
    place: index + 1,
    skipped: index < from && !names.has(name),
  }));
  return { from, last: finished.at(-1), changed: isSaved(planned, saved) ? undefined : planned };
}

function isSaved(planned: readonly PlannedStep[], saved: readonly SavedStep[]): boolean {
  const known = saved.filter(({ kind }) => kind === 'step');
  const isSame = (step: PlannedStep, row: SavedStep | undefined) =>
    row?.name === step.name && row.place === step.place && (row.state === 'skipped') === step.skipped;
  return known.length === planned.length && planned.every((step, index) => isSame(step, known[index]));
}
