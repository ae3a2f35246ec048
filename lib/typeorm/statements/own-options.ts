import { AS_ITS_TYPE, type ClaimedJob } from '../../job/job.js';
import type { QueueTables } from '../queue-tables.js';
import { optionalNumber, optionalRetries } from '../row.js';
import { statement, type Row, type Script } from '../statement.js';

/** Instead of what its type says. */
export type OwnOptions = Pick<ClaimedJob, 'maxRetries' | 'retention'>;

/** Few jobs have options of their own: one value more in each row of a claim, instead of three, says whether. */
export const HAS_OWN_OPTIONS = 'COALESCE(max_retries, keep_succeeded, keep_failed) AS own';

const NONE: OwnOptions = { maxRetries: undefined, retention: AS_ITS_TYPE };

/** Reads the options of those claimed jobs that have some; answers how to find those of a row. */
export function* ownOptions({ dialect, names }: QueueTables, rows: readonly Row[]): Script<(row: Row) => OwnOptions> {
  const ids = rows.filter(hasOwn).map((row) => Number(row['id']));
  if (ids.length === 0) return () => NONE;
  const listed = dialect.listed(ids);
  const own = yield statement(
    `SELECT id, max_retries, keep_succeeded, keep_failed FROM ${names.job} WHERE id IN (${listed.sql})`,
    listed.parameters,
  );
  const byId = new Map(own.rows.map((row) => [String(row['id']), readOwnOptions(row)]));
  return (row) => byId.get(String(row['id'])) ?? NONE;
}

function hasOwn(row: Row): boolean {
  return row['own'] !== null;
}

function readOwnOptions(row: Row): OwnOptions {
  const retention = { succeeded: optionalNumber(row['keep_succeeded']), failed: optionalNumber(row['keep_failed']) };
  return { maxRetries: optionalRetries(row['max_retries']), retention };
}
