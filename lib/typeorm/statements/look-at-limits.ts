import { UNFILED } from '../../job/concurrency-key.js';
import type { JobLimits } from '../../job/job-limits.js';
import type { QueueTables } from '../queue-tables.js';
import type { Script } from '../statement.js';
import { readSlot, selectKeySlots, selectSharedSlots, type KnownSlot } from './slots.js';
import {
  optionalPriority,
  readWaitingKeys,
  selectBestPriority,
  selectWaitingKeys,
  type WaitingKeys,
} from './waiting-keys.js';

/** Keys that one look goes by: of all, the slots are read. */
const KEYS_AT_ONCE = 100;

export interface KeyPage extends WaitingKeys {
  readonly slots: readonly KnownSlot[];
}

/** What is taken of the whole type, and for a type without keys the best priority of those that wait. */
export function* lookAtType(
  tables: QueueTables,
  type: string,
  limits: JobLimits,
): Script<{ readonly priority: number | undefined; readonly known: readonly KnownSlot[] }> {
  const isShared = limits.concurrency !== undefined || limits.rate !== undefined;
  const slots = isShared ? (yield selectSharedSlots(tables, type, limits)).rows : [];
  const known = slots.map((row) => readSlot(row, limits.rate?.per));
  if (limits.key !== undefined) return { priority: undefined, known };
  const [best] = (yield selectBestPriority(tables, type, UNFILED)).rows;
  return { priority: optionalPriority(best?.['priority']), known };
}

/** The next keys below one that have waiting jobs, and what is taken of them. */
export function* lookAtKeys(
  tables: QueueTables,
  type: string,
  below: string | undefined,
  limit: number,
): Script<KeyPage> {
  const found = readWaitingKeys((yield selectWaitingKeys(tables, type, below, KEYS_AT_ONCE)).rows, KEYS_AT_ONCE);
  if (found.keys.length === 0) return { ...found, slots: [] };
  const { rows } = yield selectKeySlots(
    tables,
    type,
    found.keys.map(({ key }) => key),
    limit,
  );
  return { ...found, slots: rows.map((row) => readSlot(row)) };
}
