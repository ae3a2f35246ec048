import { isDeepStrictEqual } from 'node:util';
import { InvalidOptionError } from '../errors/invalid-option.error.js';
import type { JobState } from '../job/job-state.js';
import { refuseUnknownOptions } from '../support/did-you-mean.js';
import { parseDuration, type Duration } from '../support/duration.js';
import type { EnqueuedTestJob } from './enqueued-job.js';
import { jsonOf, partOf } from './matches.js';

/**
 * Part of a value: objects may have more members than it names.
 *
 * @publicApi
 */
export type PartOf<T> = T extends readonly (infer Item)[]
  ? readonly PartOf<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]?: PartOf<T[Key]> }
    : T;

/**
 * What a job is expected to have been enqueued with. Only what is named is compared. In the payload, and for the names, a matcher such
 * as `expect.any(String)` may stand for a value.
 *
 * @publicApi
 */
export interface ExpectedJob<Payload = unknown> {
  payload?: PartOf<Payload>;
  key?: string;
  reference?: string;
  traceId?: string;
  priority?: number;
  /** From the enqueue on. */
  delay?: Duration;
  /** Of the first due time. */
  at?: Date;
  deadline?: Date;
  maxRetries?: number;
  /** As it stands now. */
  state?: JobState;
  /** How many of them; by default at least one. */
  times?: number;
}

const KNOWN = [
  'payload',
  'key',
  'reference',
  'traceId',
  'priority',
  'delay',
  'at',
  'deadline',
  'maxRetries',
  'state',
  'times',
];

/** What a job is compared with. */
export function readExpected(call: string, expected: ExpectedJob): Record<string, unknown> {
  refuseUnknownOptions(call, expected, KNOWN);
  const { payload, delay, at, times: _, ...others } = expected;
  return {
    ...('payload' in expected ? { payload: jsonOf(payload) } : {}),
    ...(delay === undefined ? {} : { delay: readDelay(call, delay) }),
    ...(at === undefined ? {} : { dueAt: at }),
    ...Object.fromEntries(Object.entries(others).filter(([, value]) => value !== undefined)),
  };
}

/** What of the job is compared. */
export function comparable(job: EnqueuedTestJob, expected: Record<string, unknown>): Record<string, unknown> {
  return partOf(job, expected) as Record<string, unknown>;
}

export function matches(job: EnqueuedTestJob, expected: Record<string, unknown>): boolean {
  return isDeepStrictEqual(comparable(job, expected), expected);
}

function readDelay(call: string, delay: Duration): number {
  const milliseconds = parseDuration(delay);
  if (milliseconds !== undefined) return milliseconds;
  throw new InvalidOptionError(`${call}.delay`, delay, "Give milliseconds of 0 or more, or a string such as '3m'.");
}
