import { OptionReader } from '../options/option-reader.js';
import type { OwnTableMapping } from '../typeorm/own-table/own-table-mapping.js';
import type { StatusValue, TableColumns, TableOperationOptions } from './table-operation-options.js';

/** Those of the first seed, as its DDL has them. */
const SEED_COLUMNS: TableColumns = {
  id: 'id',
  type: 'job_type',
  payload: 'params',
  status: 'job_status',
  due: 'start_time',
  updated: 'update_time',
};
const SEED_STATUSES = { waiting: [0, null], succeeded: 1, failed: 2 } as const;

const OPTIONS = [
  'table',
  'type',
  'columns',
  'statuses',
  'unit',
] as const satisfies readonly (keyof TableOperationOptions)[];
const ROLES = [
  'id',
  'status',
  'type',
  'payload',
  'due',
  'updated',
  'attempts',
  'error',
] as const satisfies readonly (keyof TableColumns)[];
const STATUSES = ['waiting', 'succeeded', 'failed'];

export interface ReadTableOptions {
  readonly mapping: OwnTableMapping;
  readonly type: string | number | undefined;
}

export function readTableOptions(given: TableOperationOptions): ReadTableOptions {
  const options = new OptionReader('tableOperation()', given, OPTIONS);
  const unit = options.value('unit') ?? 's';
  if (unit !== 's' && unit !== 'ms') return options.refuse('unit', unit, "Give 's' or 'ms'.");
  return {
    mapping: {
      table: required(options, 'table'),
      columns: readColumns(given),
      ...readStatuses(given),
      unit: unit === 's' ? 1_000 : 1,
    },
    type: readType(options),
  };
}

function readColumns({ columns = SEED_COLUMNS }: TableOperationOptions): OwnTableMapping['columns'] {
  const options = new OptionReader('tableOperation().columns', columns, ROLES);
  return {
    id: required(options, 'id'),
    status: required(options, 'status'),
    type: options.text('type'),
    payload: options.text('payload'),
    due: options.text('due'),
    updated: options.text('updated'),
    attempts: options.text('attempts'),
    error: options.text('error'),
  };
}

function readStatuses({ statuses = SEED_STATUSES }: TableOperationOptions) {
  const options = new OptionReader('tableOperation().statuses', statuses, STATUSES);
  const waiting = [options.value('waiting')].flat() as StatusValue[];
  const succeeded = readEnd(options, 'succeeded');
  const failed = readEnd(options, 'failed');
  if (waiting.length === 0 || !waiting.every((status) => status === null || isStatus(status)))
    return options.refuse('waiting', options.value('waiting'), 'Give a number, a string or null, or a list of them.');
  const ends: readonly StatusValue[] = [succeeded, failed];
  const twice = waiting.find((status) => ends.includes(status));
  if (twice !== undefined)
    return options.refuse('waiting', twice, 'A row that has ended would run again: give ends of their own.');
  return { waiting, succeeded, failed };
}

function readEnd(options: OptionReader, name: string): string | number {
  const value = options.value(name);
  return isStatus(value) ? value : options.refuse(name, value, 'Give a number or a string.');
}

function isStatus(value: unknown): value is string | number {
  return typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value));
}

function readType(options: OptionReader): string | number | undefined {
  const type = options.value('type');
  return type === undefined || isStatus(type) ? type : options.refuse('type', type, 'Give a number or a string.');
}

function required(options: OptionReader, name: string): string {
  return options.text(name) ?? options.refuse(name, undefined, 'Give its name.');
}
