import type { Database } from './database.js';
import type { QueueTables } from './queue-tables.js';
import type { SlotPruner } from './slot-pruner.js';
import { pruneForgottenRows, pruneRowHistory } from './statements/prune-operations.js';
import { pruneHistory, pruneJobs, pruneNodes } from './statements/prune.js';

/** A transaction for each kind of rows, of at most `limit` of them; answers how many of the kind of which there were most. */
export async function pruneAll(
  database: Database,
  tables: QueueTables,
  limit: number,
  history: number,
  slots: SlotPruner,
): Promise<number> {
  const pruned = [await database.transaction(() => pruneJobs(tables, limit))];
  for (const prune of [pruneHistory, pruneRowHistory, pruneForgottenRows])
    pruned.push(await database.transaction(() => prune(tables, limit, history)));
  pruned.push(await slots.prune(database, tables, limit));
  await database.transaction(() => pruneNodes(tables));
  return Math.max(...pruned);
}
