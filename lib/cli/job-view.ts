import type { Job } from '../job/job.js';
import type { JobSteps } from '../job/step.js';

/** What handlers were given and have answered is the application's, and may be secret. */
export function withoutData({ payload: _payload, result: _result, ...job }: Job): Omit<Job, 'payload' | 'result'> {
  return job;
}

export function stepsWithoutData({ total, done, steps }: JobSteps): object {
  return { total, done, steps: steps.map(({ result: _result, ...step }) => step) };
}
