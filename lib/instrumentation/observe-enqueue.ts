import type { EnqueuedJob } from '../job/job.js';
import { serialiseError } from '../support/serialise-error.js';
import type { EnqueueFacts } from './job-instrument.js';
import type { JobInstrumentation } from './job-instrumentation.js';

/**
 * Stores jobs, and what is told to those who look on. `insert` gets the trace id for the jobs that have none; `jobsOf` says what of its
 * answer are jobs.
 */
export async function observeEnqueue<T>(
  { current }: JobInstrumentation,
  facts: () => EnqueueFacts,
  insert: (traceId: string | undefined) => Promise<T>,
  jobsOf: (answer: T) => readonly EnqueuedJob[],
): Promise<T> {
  if (current === undefined) return insert(undefined);
  const observation = current.enqueue(facts());
  const traceId = observation.first((each) => each.traceId);
  try {
    const answer = await observation.run(() => insert(traceId));
    observation.end({ jobs: jobsOf(answer) });
    return answer;
  } catch (error) {
    observation.end({ error: serialiseError(error) });
    throw error;
  }
}
