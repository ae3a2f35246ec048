import { LONGEST_TIMER } from '../support/duration.js';
import type { ResolvedHandlerOptions } from './handler-options.js';
import { OptionReader } from './option-reader.js';
import { readBackoff, readMaxRetries } from './resolve-handler-options.js';
import type { JobStepOptions, ResolvedStepOptions } from './step-options.js';

const STEP_OPTIONS = [
  'order',
  'name',
  'maxRetries',
  'waitTime',
  'backoff',
  'timeout',
  'transactional',
  'description',
] as const satisfies readonly (keyof JobStepOptions)[];

/** Fills in what the job says. Throws `InvalidOptionError` or `UnknownOptionError`, naming `owner`. */
export function resolveStepOptions(
  owner: string,
  given: JobStepOptions,
  job: ResolvedHandlerOptions,
): ResolvedStepOptions & Pick<JobStepOptions, 'order' | 'name' | 'description'> {
  const options = new OptionReader(owner, given, STEP_OPTIONS);
  return {
    order: readOrder(options),
    name: options.text('name'),
    maxRetries: readMaxRetries(options, job.maxRetries),
    waitTime: options.optionalDuration('waitTime') ?? job.waitTime,
    backoff: readBackoff(options, job.backoff),
    timeout: options.optionalDuration('timeout', 1, LONGEST_TIMER) ?? job.timeout,
    transactional: options.flag('transactional', job.transactional),
    description: options.text('description'),
  };
}

function readOrder(options: OptionReader): number {
  const order = options.value('order');
  return typeof order === 'number' && Number.isFinite(order) ? order : options.refuse('order', order, 'Give a number.');
}
