import type { Backoff } from '../job/backoff.js';
import type { StandardSchema } from '../job/standard-schema.js';
import { LONGEST_TIMER } from '../support/duration.js';
import type { JobHandlerOptions, ResolvedHandlerOptions } from './handler-options.js';
import type { OperationOptions } from './operation-options.js';
import { OptionReader } from './option-reader.js';
import { LIMIT_OPTIONS, readLimits } from './resolve-limits.js';

const HANDLER_OPTIONS = [
  'maxRetries',
  'waitTime',
  'backoff',
  'concurrency',
  ...LIMIT_OPTIONS,
  'timeout',
  'deadline',
  'maxCrashes',
  'transactional',
  'operation',
  'ack',
  'ackTimeout',
  'retention',
  'schema',
  'description',
] as const satisfies readonly (keyof JobHandlerOptions)[];

/** Fills in the defaults. Throws `InvalidOptionError` or `UnknownOptionError`, naming `owner`. */
export function resolveHandlerOptions(owner: string, given: JobHandlerOptions): ResolvedHandlerOptions {
  const options = new OptionReader(owner, given, HANDLER_OPTIONS);
  const retention = options.group('retention', ['succeeded', 'failed']);
  return {
    maxRetries: readMaxRetries(options, 3),
    waitTime: options.duration('waitTime', '10s'),
    backoff: readBackoff(options, 'fixed'),
    concurrency: options.integer('concurrency', 100, 1),
    limits: readLimits(options),
    timeout: options.duration('timeout', '15m', 1, LONGEST_TIMER),
    deadline: options.optionalDuration('deadline'),
    maxCrashes: options.integer('maxCrashes', 3, 1, 1_000),
    transactional: options.flag('transactional', false),
    operation: readOperation(options),
    ackTimeout: readAckTimeout(options),
    retention: {
      succeeded: retention.optionalDuration('succeeded'),
      failed: retention.optionalDuration('failed'),
    },
    schema: readSchema(options),
    description: options.text('description'),
  };
}

/** What is in it is read when the class is looked for. */
function readOperation(options: OptionReader): OperationOptions | undefined {
  const value = options.value('operation');
  if (value === undefined || (typeof value === 'object' && value !== null)) return value;
  return options.refuse('operation', value, 'Give { use: MyOperation, lock: { name, atMost, atLeast } }.');
}

/** Of an object or, as arktype's, a function. */
function readSchema(options: OptionReader): StandardSchema | undefined {
  const value = options.value('schema');
  if (value === undefined || isSchema(value)) return value;
  const cure =
    "Give a schema of a library of Standard Schema, version 1 (https://standardschema.dev): an object with '~standard', which has " +
    'version 1 and validate(). For a class with decorators, use a ValidationPipe.';
  return options.refuse('schema', value, cure);
}

function isSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const standard: unknown = Reflect.get(value, '~standard');
  if (typeof standard !== 'object' || standard === null) return false;
  return Reflect.get(standard, 'version') === 1 && typeof Reflect.get(standard, 'validate') === 'function';
}

/** What contradicts itself, once all that was said about a type is put together. Throws `InvalidOptionError`. */
export function refuseContradictions(owner: string, given: JobHandlerOptions): void {
  const options = new OptionReader(owner, given, HANDLER_OPTIONS);
  const { ack, ackTimeout, transactional } = given;
  if (ack !== 'manual' && ackTimeout !== undefined)
    options.refuse(
      'ackTimeout',
      ackTimeout,
      "Set ack: 'manual' beside it, or leave it out: the handler's return is the end.",
    );
  if (ack === 'manual' && transactional === true) {
    const cure =
      'Leave out transactional: what the handler hands over could be acknowledged before its transaction has committed. ' +
      'Write in job.transaction(), and hand over when that has resolved.';
    options.refuse('ack', ack, cure);
  }
}

function readAckTimeout(options: OptionReader): number | undefined {
  const timeout = options.duration('ackTimeout', '15m', 1);
  const ack = options.value('ack') ?? 'auto';
  if (ack === 'manual') return timeout;
  return ack === 'auto' ? undefined : options.refuse('ack', ack, "Give 'auto' or 'manual'.");
}

export function readMaxRetries(options: OptionReader, fallback: number): number {
  const value = options.value('maxRetries') ?? fallback;
  return value === Infinity ? value : options.integer('maxRetries', fallback, 0, 1_000_000);
}

export function readBackoff(options: OptionReader, fallback: Backoff): Backoff {
  const value = options.value('backoff') ?? fallback;
  if (value === 'fixed' || value === 'exponential') return value;
  if (typeof value === 'function') return value as (attempt: number, error: unknown) => number;
  return options.refuse(
    'backoff',
    value,
    "Give 'fixed', 'exponential' or a function (attempt, error) => milliseconds.",
  );
}
