import { InvalidJobError } from '../errors/invalid-job.error.js';
import type { EnqueuedJob } from '../job/job.js';
import { LONGEST_NAME, nameFault } from '../job/job-type.js';
import { serialiseError } from '../support/serialise-error.js';
import type { EnqueueFacts, EnqueueObservation } from './job-instrument.js';
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
  const traceId = observation.first(readTraceId);
  try {
    const answer = await observation.run(() => insert(traceId));
    observation.end({ jobs: jobsOf(answer) });
    return answer;
  } catch (error) {
    observation.end({ error: serialiseError(error) });
    throw error;
  }
}

/** Of somebody else's code: what no database could store would fail the enqueue. */
function readTraceId({ traceId }: EnqueueObservation): string | undefined {
  if (traceId === undefined || traceId === null) return undefined;
  const fault = nameFault(traceId, LONGEST_NAME);
  if (fault === undefined) return traceId;
  throw new InvalidJobError('traceId', traceId, `An instrument has given it, and the job does without. ${fault}`);
}
