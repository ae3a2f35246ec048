import type { StepEnd, StepPlace } from '../job/step.js';

/** The attempt of a step that is under way, from when it began. */
export interface Begun extends StepPlace {
  readonly attempts: number;
  readonly startedAt: number;
}

type Outcome = Pick<StepEnd, 'state'> & Partial<Pick<StepEnd, 'result' | 'context' | 'error'>>;

export function begin(place: StepPlace, earlier: number): Begun {
  return { ...place, attempts: earlier + 1, startedAt: performance.now() };
}

export function endOf(begun: Begun, { state, result, context, error }: Outcome): StepEnd {
  return { ...begun, endedAt: performance.now(), state, result, context, error };
}
