import type { CheckedFilter } from '../job/job-filter.js';
import type { RemovedBatch, RetriedBatch } from '../repository/job-repository.js';
import type { Connected } from './queue-connection.js';
import type { QueueTables } from './queue-tables.js';
import type { Script, Statement } from './statement.js';
import { retryJobs, selectEnded } from './statements/filter-jobs.js';
import { removeJobs, selectRemovable } from './statements/remove-jobs.js';

type Select = (tables: QueueTables, filter: CheckedFilter, after: string, limit: number) => Statement;
type Change = (tables: QueueTables, filter: CheckedFilter, ids: readonly number[]) => Script<number>;

export async function retryBatch(
  connected: Connected,
  filter: CheckedFilter,
  after: string,
  limit: number,
): Promise<RetriedBatch> {
  const { changed: retried, last } = await changeBatch(connected, selectEnded, retryJobs, filter, after, limit);
  return { retried, last };
}

export async function removeBatch(
  connected: Connected,
  filter: CheckedFilter,
  after: string,
  limit: number,
): Promise<RemovedBatch> {
  const { changed: removed, last } = await changeBatch(connected, selectRemovable, removeJobs, filter, after, limit);
  return { removed, last };
}

/** Found without a transaction, because the walk may be long; changed in a short one, if it still is as it was found. */
async function changeBatch(
  { database, tables }: Connected,
  select: Select,
  change: Change,
  filter: CheckedFilter,
  after: string,
  limit: number,
): Promise<{ changed: number; last: string | undefined }> {
  const { rows } = await database.query(select(tables, filter, after, limit));
  const ids = rows.map((row) => Number(row['id']));
  const changed = ids.length === 0 ? 0 : await database.transaction(() => change(tables, filter, ids));
  return { changed, last: ids.length < limit ? undefined : String(ids.at(-1)) };
}
