import { InvalidStepError } from '../errors/invalid-step.error.js';
import type { StepOptions } from '../job/job-context.js';
import { OptionReader } from '../options/option-reader.js';
import { parseDuration } from '../support/duration.js';

export function readTransactional(step: string, options: StepOptions): boolean {
  return new OptionReader(`job.step('${step}')`, options, ['transactional']).flag('transactional', false);
}

/** Milliseconds. */
export function readDuration(step: string, duration: unknown): number {
  const milliseconds = parseDuration(duration);
  if (milliseconds !== undefined) return milliseconds;
  throw new InvalidStepError(
    step,
    duration,
    'cannot sleep for this',
    "Give milliseconds of 0 or more, or a string such as '3d'.",
  );
}

/** UTC epoch milliseconds. */
export function readTime(step: string, time: unknown): number {
  if (time instanceof Date && !Number.isNaN(time.getTime())) return time.getTime();
  throw new InvalidStepError(step, time, 'cannot sleep until this', 'Give a valid Date.');
}
