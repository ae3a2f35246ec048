import type { JobInstrumentation } from '../instrumentation/job-instrumentation.js';
import { observeEnqueue } from '../instrumentation/observe-enqueue.js';
import type { FireResult } from '../repository/schedule-repository.js';

/** Makes jobs of a schedule, and what is told to those who look on. `undefined`: another node has made them. */
export function observeFiring<Result extends FireResult | undefined>(
  instrumentation: JobInstrumentation,
  { name, type }: { readonly name: string; readonly type: string },
  fire: (traceId: string | undefined) => Promise<Result>,
  manual = false,
): Promise<Result> {
  return observeEnqueue(
    instrumentation,
    () => ({ type, count: 1, traceId: undefined, schedule: { name, manual } }),
    fire,
    (result) => result?.fired.map(({ id }) => ({ id, created: true })) ?? [],
  );
}
