import type { Database } from './database.js';
import type { QueueTables } from './queue-tables.js';
import { pruneSlots, UNUSED } from './statements/prune-slots.js';

/** Milliseconds. */
const PAUSE = UNUSED / 6;

/**
 * Prunes slots now and then: it reads all of the service, because an index by the time at which they were taken would change with each claim.
 */
export class SlotPruner {
  private nextAt = 0;

  /** Answers how many; until the last one it goes on with each call. */
  async prune(database: Database, tables: QueueTables, limit: number): Promise<number> {
    const now = performance.now();
    if (now < this.nextAt) return 0;
    const pruned = await database.transaction(() => pruneSlots(tables, limit));
    if (pruned < limit) this.nextAt = now + PAUSE;
    return pruned;
  }
}
