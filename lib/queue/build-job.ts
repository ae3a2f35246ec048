import { InvalidJobError } from '../errors/invalid-job.error.js';
import { UNFILED } from '../job/concurrency-key.js';
import { jobTypeFault, LONGEST_NAME, nameFault, type JobType } from '../job/job-type.js';
import { AS_ITS_TYPE, type DueTime, type JobRetention, type KeyScope, type NewJob } from '../job/job.js';
import { refuseUnknownOptions } from '../support/did-you-mean.js';
import { parseDuration } from '../support/duration.js';
import { serialiseJson, UnserialisableError } from '../support/serialise-json.js';
import type { JobDefinition } from './job-definition.js';
import type { JobRequest } from './enqueue-options.js';

const OPTIONS = [
  'payload',
  'at',
  'key',
  'keyScope',
  'onConflict',
  'priority',
  'delay',
  'deadline',
  'reference',
  'traceId',
  'maxRetries',
  'retention',
] as const;

const MOST_RETRIES = 1_000_000;

/** Checks everything about a job before anything is written, so that nothing is ever stored that could not run. */
export function buildJob(
  given: JobType | JobDefinition<unknown>,
  request: JobRequest,
  maxPayloadBytes: number,
  defaultScope: (type: string) => KeyScope = () => 'row',
): NewJob {
  refuseUnknownOptions('enqueue options', request, OPTIONS);
  const type = readType(given);
  return {
    type,
    payload: serialiseJobValue('payload', request.payload, maxPayloadBytes),
    priority: readPriority(request.priority),
    concurrencyKey: UNFILED,
    due: readDue(request),
    key: readName('key', request.key),
    keyScope: readKeyScope(request, type, defaultScope),
    refusesOtherPayload: readChoice('onConflict', request.onConflict, ['return', 'error']) === 'error',
    reference: readName('reference', request.reference),
    traceId: readName('traceId', request.traceId),
    deadline: request.deadline === undefined ? undefined : readDate('deadline', request.deadline),
    maxRetries: readMaxRetries(request.maxRetries),
    retention: request.retention === undefined ? AS_ITS_TYPE : readRetention(request.retention),
  };
}

/** The same for many jobs of one type. */
export function buildJobs(
  type: JobType | JobDefinition<unknown>,
  requests: readonly JobRequest[],
  maxPayloadBytes: number,
  defaultScope: (type: string) => KeyScope,
): NewJob[] {
  const cure = 'Give an array of objects such as { payload, key }.';
  if (!Array.isArray(requests)) throw new InvalidJobError('list', requests, cure);
  return Array.from(requests as readonly JobRequest[], (request) => {
    if (typeof request !== 'object' || request === null) throw new InvalidJobError('request', request, cure);
    return buildJob(type, request, maxPayloadBytes, defaultScope);
  });
}

export function readType(type: JobType | JobDefinition<unknown>): string {
  const name: unknown = typeof type === 'object' && type !== null ? type.type : type;
  const fault = jobTypeFault(name);
  if (fault !== undefined) throw new InvalidJobError('type', name, fault);
  return String(name);
}

/** JSON text. */
export function serialiseJobValue(field: 'payload' | 'result', value: unknown, maxBytes: number): string {
  const json = serialise(field, value);
  const bytes = Buffer.byteLength(json);
  if (bytes <= maxBytes) return json;
  const instead = field === 'payload' ? 'enqueue its id' : 'give its id';
  const cure = `It has ${bytes} bytes of JSON and may have ${maxBytes}: store the data and ${instead}, or raise forRoot({ maxPayloadBytes }).`;
  throw new InvalidJobError(field, value, cure);
}

function serialise(field: string, value: unknown): string {
  try {
    return serialiseJson(value);
  } catch (error) {
    if (!(error instanceof UnserialisableError)) throw error;
    const cure = `JSON cannot carry it: ${error.message}. ${field === 'payload' ? 'Enqueue' : 'Give'} plain data.`;
    throw new InvalidJobError(field, value, cure, { cause: error });
  }
}

function readKeyScope({ key, keyScope }: JobRequest, type: string, defaultScope: (type: string) => KeyScope): KeyScope {
  const scope = key !== undefined && keyScope === undefined ? defaultScope(type) : keyScope;
  return readChoice('keyScope', scope, ['row', 'open', 'forever']);
}

function readPriority(priority: unknown = 0): number {
  if (typeof priority === 'number' && Number.isInteger(priority) && priority >= 0 && priority <= 9) return priority;
  throw new InvalidJobError('priority', priority, 'Give an integer from 0 to 9; larger runs first.');
}

function readDue({ at, delay }: JobRequest): DueTime {
  if (at !== undefined && delay !== undefined)
    throw new InvalidJobError('delay', delay, 'Give either a delay or a time, not both.');
  if (at !== undefined) return { at: readDate('due time', at) };
  const milliseconds = parseDuration(delay ?? 0);
  if (milliseconds === undefined) {
    throw new InvalidJobError('delay', delay, "Give milliseconds of 0 or more, or a string such as '3m'.");
  }
  return { delay: milliseconds };
}

function readDate(field: string, value: unknown): number {
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.getTime();
  throw new InvalidJobError(field, value, 'Give a valid Date.');
}

function readMaxRetries(retries: unknown): number | undefined {
  if (retries === undefined || retries === Infinity) return retries;
  if (typeof retries === 'number' && Number.isInteger(retries) && retries >= 0 && retries <= MOST_RETRIES)
    return retries;
  throw new InvalidJobError('maxRetries', retries, `Give an integer from 0 to ${MOST_RETRIES}, or Infinity.`);
}

function readRetention(retention: unknown): JobRetention {
  if (typeof retention !== 'object' || retention === null)
    throw new InvalidJobError('retention', retention, "Give an object such as { succeeded: '1h', failed: '7d' }.");
  refuseUnknownOptions('enqueue options.retention', retention, ['succeeded', 'failed']);
  const { succeeded, failed } = retention as Record<keyof JobRetention, unknown>;
  return { succeeded: readKeep('succeeded', succeeded), failed: readKeep('failed', failed) };
}

function readKeep(end: keyof JobRetention, value: unknown): number | undefined {
  const keep = value === undefined ? undefined : parseDuration(value);
  if (value === undefined || keep !== undefined) return keep;
  const cure = "Give milliseconds of 0 or more, or a string such as '7d'; 0 deletes the job with its end.";
  throw new InvalidJobError(`retention.${end}`, value, cure);
}

/** The first choice is the default. */
function readChoice<Choice extends string>(
  field: string,
  value: unknown,
  choices: readonly [Choice, ...Choice[]],
): Choice {
  const choice = choices.find((candidate) => candidate === (value ?? choices[0]));
  if (choice === undefined) throw new InvalidJobError(field, value, `Give one of ${choices.join(', ')}.`);
  return choice;
}

function readName(field: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const fault = nameFault(value, LONGEST_NAME);
  if (fault !== undefined) throw new InvalidJobError(field, value, fault);
  return value as string;
}
