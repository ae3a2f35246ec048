import { createHash } from 'node:crypto';
import { InvalidOptionError } from '../errors/invalid-option.error.js';
import { PageTokenError } from '../errors/page-token.error.js';
import type { CheckedFilter, JobFilter } from '../job/job-filter.js';
import type { JobState } from '../job/job-state.js';
import { jobTypeFault, LONGEST_NAME, nameFault } from '../job/job-type.js';
import { OptionReader } from '../options/option-reader.js';

const FIELDS = [
  'type',
  'state',
  'key',
  'reference',
  'createdFrom',
  'createdUntil',
  'finishedUntil',
] as const satisfies readonly (keyof JobFilter)[];
const STATES: readonly JobState[] = ['scheduled', 'waiting', 'running', 'succeeded', 'failed', 'cancelled'];

/** Throws `UnknownOptionError` or `InvalidOptionError`: a filter that was misread would retry the wrong jobs. */
export function checkFilter(filter: JobFilter): CheckedFilter {
  const fields = new OptionReader('the filter', filter, FIELDS);
  return {
    type: readType(fields),
    states: readStates(fields),
    key: readName(fields, 'key'),
    reference: readName(fields, 'reference'),
    createdFrom: readDate(fields, 'createdFrom'),
    createdUntil: readDate(fields, 'createdUntil'),
    finishedUntil: readDate(fields, 'finishedUntil'),
  };
}

/** Opaque, and good for one filter only. */
export function pageToken(filter: CheckedFilter, lastId: string): string {
  return Buffer.from(`${digest(filter)}:${lastId}`).toString('base64url');
}

/** The id after which the page begins. Throws `PageTokenError`. */
export function readPageToken(filter: CheckedFilter, token: unknown): string {
  const [digested, id] = typeof token === 'string' ? Buffer.from(token, 'base64url').toString().split(':') : [];
  if (digested !== digest(filter) || id === undefined || !/^\d{1,15}$/.test(id)) throw new PageTokenError(token);
  return id;
}

function digest(filter: CheckedFilter): string {
  return createHash('sha256').update(JSON.stringify(filter)).digest('base64url').slice(0, 12);
}

function readType(fields: OptionReader): string | undefined {
  const given = fields.value('type');
  if (given === undefined) return undefined;
  const type: unknown = typeof given === 'object' && given !== null ? Reflect.get(given, 'type') : given;
  const fault = jobTypeFault(type);
  return fault === undefined ? `${type as string | number}` : fields.refuse('type', type, fault);
}

function readName(fields: OptionReader, name: string): string | undefined {
  const value = fields.value(name);
  if (value === undefined) return undefined;
  const fault = nameFault(value, LONGEST_NAME);
  return fault === undefined ? (value as string) : fields.refuse(name, value, fault);
}

function readStates(fields: OptionReader): readonly JobState[] | undefined {
  const given = fields.value('state');
  if (given === undefined) return undefined;
  const states: unknown[] = Array.isArray(given) ? given : [given];
  const unknown = states.find((state) => !STATES.includes(state as JobState));
  if (unknown !== undefined || states.length === 0)
    fields.refuse('state', unknown ?? states, `Give any of ${STATES.join(', ')}.`);
  return states as JobState[];
}

function readDate(fields: OptionReader, name: string): number | undefined {
  const value = fields.value(name);
  if (value === undefined) return undefined;
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.getTime();
  throw new InvalidOptionError(`the filter.${name}`, value, 'Give a valid Date.');
}
