import type { KeySource } from '../job/concurrency-key.js';
import type { JobLimits } from '../job/job-limits.js';
import { InvalidOptionError } from '../errors/invalid-option.error.js';
import type { ResolvedHandlerOptions } from './handler-options.js';
import type { OptionReader } from './option-reader.js';

/** Each is a row that a claim may have to look at. */
const MOST_SLOTS = 1_000;

export const LIMIT_OPTIONS = ['globalConcurrency', 'concurrencyKey', 'rateLimit'] as const;

/** `undefined`: the type has none, and its jobs are claimed without a thought of them. */
export function readLimits(options: OptionReader): JobLimits | undefined {
  const limits = { concurrency: readConcurrency(options), key: readKey(options), rate: readRate(options) };
  return Object.values(limits).every((limit) => limit === undefined) ? undefined : limits;
}

/** Rows of the application's tables are led by one process: no claim of ours could hold them back. Throws `InvalidOptionError`. */
export function refuseLimitsOfOperation(owner: string, { operation, limits }: ResolvedHandlerOptions): void {
  if (operation === undefined || limits === undefined) return;
  const given = { globalConcurrency: limits.concurrency, concurrencyKey: limits.key, rateLimit: limits.rate };
  const name = LIMIT_OPTIONS.find((option) => given[option] !== undefined) ?? LIMIT_OPTIONS[0];
  const cure =
    'Leave it out, or the operation: its rows are run by the one process that leads it, whose `concurrency` is the limit for all.';
  throw new InvalidOptionError(`${owner}.${name}`, given[name], cure);
}

function readConcurrency(options: OptionReader): number | undefined {
  return options.value('globalConcurrency') === undefined
    ? undefined
    : options.integer('globalConcurrency', 1, 1, MOST_SLOTS);
}

function readKey(options: OptionReader): JobLimits['key'] {
  if (options.value('concurrencyKey') === undefined) return undefined;
  const key = options.group('concurrencyKey', ['from', 'limit']);
  const from = key.value('from');
  if (typeof from !== 'function') key.refuse('from', from, 'Give a function such as (payload) => payload.tenantId.');
  return { from: from as KeySource, limit: readMost(key, 'limit', 'Running jobs of one key') };
}

function readRate(options: OptionReader): JobLimits['rate'] {
  if (options.value('rateLimit') === undefined) return undefined;
  const rate = options.group('rateLimit', ['max', 'per']);
  const cure = "Give milliseconds or a string such as '1s', at least 1 ms: in any such time at most `max` jobs begin.";
  return {
    max: readMost(rate, 'max', 'For more, give a shorter `per`'),
    per: rate.optionalDuration('per', 1) ?? rate.refuse('per', undefined, cure),
  };
}

/** An integer that has no default. */
function readMost(options: OptionReader, name: string, meaning: string): number {
  if (options.value(name) === undefined)
    options.refuse(name, undefined, `Give an integer from 1 to ${MOST_SLOTS}. ${meaning}.`);
  return options.integer(name, 1, 1, MOST_SLOTS);
}
