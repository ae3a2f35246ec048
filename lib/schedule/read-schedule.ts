import { InvalidScheduleError } from '../errors/invalid-schedule.error.js';
import { jobTypeFault, nameFault } from '../job/job-type.js';
import type { NewSchedule } from '../job/schedule.js';
import { refuseUnknownOptions } from '../support/did-you-mean.js';
import { parseDuration } from '../support/duration.js';
import { serialiseJson, UnserialisableError } from '../support/serialise-json.js';
import { TIMING, type ScheduleOptions } from './schedule-options.js';
import { parseSpec } from './spec/parse-spec.js';

/** Room for the fire time in the key of its job. */
const LONGEST_NAME = 200;
const LONGEST_DESCRIPTION = 10_000;
const MOST_MISFIRES = 1_000;
const DEFAULT_MISFIRES = 100;

const OPTIONS = ['spec', 'type', 'enabled', ...TIMING] as const;

/** Checks everything about a schedule before anything is written. */
export function readSchedule(name: string, options: ScheduleOptions, maxPayloadBytes: number): NewSchedule {
  if (options === null || typeof options !== 'object')
    throw new InvalidScheduleError('options', options, 'they are no object', 'Give an object such as { spec, type }.');
  refuseUnknownOptions('schedule options', options, OPTIONS);
  const timeZone = options.timeZone ?? 'UTC';
  parseSpec(options.spec, timeZone);
  const startsAt = readDate('from', options.from);
  const endsAt = readDate('until', options.until);
  if (endsAt > 0 && endsAt < startsAt)
    throw new InvalidScheduleError('until', options.until, 'it ends before it begins', 'Give a time after `from`.');
  return {
    name: readScheduleName(name),
    spec: options.spec,
    timeZone,
    type: readType(options.type),
    payload: readJson('payload', options.payload, maxPayloadBytes),
    enabled: readFlag('enabled', options.enabled),
    misfire: readChoice('misfire', options.misfire, ['once', 'skip', 'all']),
    misfireLimit: readLimit(options.misfireLimit),
    overlap: readChoice('overlap', options.overlap, ['allow', 'skip', 'queue']),
    jitter: readDuration('jitter', options.jitter),
    startsAt,
    endsAt,
    alertAfter: readDuration('alertAfter', options.alertAfter),
    description: readDescription(options.description),
    extra: options.extra === undefined ? undefined : readJson('extra', options.extra, maxPayloadBytes),
  };
}

export function readScheduleName(name: unknown): string {
  const fault = nameFault(name, LONGEST_NAME);
  if (fault !== undefined) throw new InvalidScheduleError('name', name, 'it cannot be stored', fault);
  return name as string;
}

function readType(type: ScheduleOptions['type']): string {
  const name: unknown = typeof type === 'object' && type !== null ? type.type : type;
  const fault = jobTypeFault(name);
  if (fault !== undefined) throw new InvalidScheduleError('type', name, 'it is no job type', fault);
  return String(name);
}

function readJson(field: string, value: unknown, maxBytes: number): string {
  const json = serialise(field, value);
  const bytes = Buffer.byteLength(json);
  if (bytes <= maxBytes) return json;
  const mistake = `it has ${bytes} bytes of JSON and may have ${maxBytes}`;
  throw new InvalidScheduleError(
    field,
    value,
    mistake,
    'Store the data and give its id, or raise forRoot({ maxPayloadBytes }).',
  );
}

function serialise(field: string, value: unknown): string {
  try {
    return serialiseJson(value);
  } catch (error) {
    if (!(error instanceof UnserialisableError)) throw error;
    throw new InvalidScheduleError(field, value, `JSON cannot carry it (${error.message})`, 'Give plain data.');
  }
}

function readFlag(field: string, value: unknown): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  throw new InvalidScheduleError(field, value, 'it is no boolean', 'Give true or false.');
}

function readChoice<Choice extends string>(
  field: string,
  value: unknown,
  choices: readonly [Choice, ...Choice[]],
): Choice {
  const choice = choices.find((known) => known === (value ?? choices[0]));
  if (choice !== undefined) return choice;
  throw new InvalidScheduleError(field, value, 'it is not known', `Give one of ${choices.join(', ')}.`);
}

function readLimit(value: unknown = DEFAULT_MISFIRES): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MOST_MISFIRES) return value;
  throw new InvalidScheduleError('misfireLimit', value, 'it is out of range', 'Give an integer from 1 to 1,000.');
}

function readDuration(field: string, value: unknown = 0): number {
  const milliseconds = parseDuration(value);
  if (milliseconds !== undefined) return milliseconds;
  throw new InvalidScheduleError(
    field,
    value,
    'it is no time span',
    "Give milliseconds of 0 or more, or a string such as '3m'.",
  );
}

/** 0: none. */
function readDate(field: string, value: unknown): number {
  if (value === undefined) return 0;
  if (value instanceof Date && value.getTime() > 0) return value.getTime();
  throw new InvalidScheduleError(field, value, 'it is no time', 'Give a valid Date after 1970.');
}

function readDescription(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const fault = nameFault(value, LONGEST_DESCRIPTION);
  if (fault !== undefined) throw new InvalidScheduleError('description', value, 'it cannot be stored', fault);
  return value as string;
}
