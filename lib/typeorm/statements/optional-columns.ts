import { UNFILED } from '../../job/concurrency-key.js';
import type { NewJob } from '../../job/job.js';
import type { RowColumns } from '../dialects/dialect.js';
import { ENDLESS_RETRIES } from '../row.js';
import type { Parameter } from '../statement.js';

export interface OptionalColumn {
  readonly column: string;
  readonly of: (job: NewJob) => Parameter | undefined;
  readonly without: Parameter;
}

/** What none of the jobs has is left to its default: each value less is less to send and to parse. */
export const OPTIONAL: readonly OptionalColumn[] = [
  { column: 'job_key', of: ({ key }) => key, without: null },
  { column: 'concurrency_key', of: ({ concurrencyKey: key }) => (key === UNFILED ? undefined : key), without: UNFILED },
  { column: 'key_scope', of: ({ keyScope }) => (keyScope === 'row' ? undefined : keyScope), without: 'row' },
  { column: 'reference', of: ({ reference }) => reference, without: null },
  { column: 'trace_id', of: ({ traceId }) => traceId, without: null },
  { column: 'deadline', of: ({ deadline }) => deadline, without: null },
  { column: 'max_retries', of: storedRetries, without: null },
  { column: 'keep_succeeded', of: ({ retention }) => retention.succeeded, without: null },
  { column: 'keep_failed', of: ({ retention }) => retention.failed, without: null },
];

function storedRetries({ maxRetries }: NewJob): number | undefined {
  return maxRetries === Infinity ? ENDLESS_RETRIES : maxRetries;
}

export interface ColumnGroup {
  readonly name: string;
  readonly columns: RowColumns;
  readonly isIn: (job: NewJob) => boolean;
  readonly of: (job: NewJob) => object;
}

/** What few jobs have. */
export const COLUMN_GROUPS: readonly ColumnGroup[] = [
  {
    name: 'options',
    columns: { max_retries: 'integer', keep_succeeded: 'integer', keep_failed: 'integer' },
    isIn: ({ maxRetries, retention: { succeeded, failed } }) => (maxRetries ?? succeeded ?? failed) !== undefined,
    of: (job) => ({
      max_retries: storedRetries(job),
      keep_succeeded: job.retention.succeeded,
      keep_failed: job.retention.failed,
    }),
  },
  {
    name: 'concurrency keys',
    columns: { concurrency_key: 'name' },
    isIn: ({ concurrencyKey }) => concurrencyKey !== UNFILED,
    of: ({ concurrencyKey }) => ({ concurrency_key: concurrencyKey }),
  },
];
