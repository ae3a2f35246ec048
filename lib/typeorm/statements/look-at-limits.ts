import { UNFILED } from '../../job/concurrency-key.js';
import type { JobLimits } from '../../job/job-limits.js';
import type { QueueTables } from '../queue-tables.js';
import type { Script } from '../statement.js';
import { readSlot, selectKeySlots, selectSharedSlots, type KnownSlot } from './slots.js';
import { nextKeys, optionalPriority, selectBestPriority, type WaitingKey, type WaitingKeys } from './waiting-keys.js';

/** Keys that one look goes by: of all, the slots are read. */
const KEYS_AT_ONCE = 100;

export interface TypeSituation {
  readonly known: readonly KnownSlot[];
  /** The best priority of jobs without a key: all of a type without keys, those that are not filed of others. */
  readonly unfiled: number | undefined;
}

export interface KeyPage extends WaitingKeys {
  readonly slots: readonly KnownSlot[];
}

/** What is taken of the whole type, and what of it nobody has filed; with `isFiled` there is nothing of that. */
export function* lookAtType(
  tables: QueueTables,
  type: string,
  limits: JobLimits,
  isFiled: boolean,
): Script<TypeSituation> {
  const isShared = limits.concurrency !== undefined || limits.rate !== undefined;
  const slots = isShared ? (yield selectSharedSlots(tables, type, limits)).rows : [];
  const [best] = isFiled ? [] : (yield selectBestPriority(tables, type, UNFILED)).rows;
  return { known: slots.map((row) => readSlot(row, limits.rate?.per)), unfiled: optionalPriority(best?.['priority']) };
}

/** The next keys below one that have waiting jobs, and what is taken of them. `before`: keys of an earlier look. */
export function* lookAtKeys(
  tables: QueueTables,
  type: string,
  below: string | undefined,
  before: readonly WaitingKey[],
): Script<KeyPage> {
  return yield* lookAtSlots(tables, type, yield* nextKeys(tables, type, below, KEYS_AT_ONCE, before));
}

/** What is taken of keys that are known. */
export function* lookAtSlots(tables: QueueTables, type: string, found: WaitingKeys): Script<KeyPage> {
  if (found.keys.length === 0) return { ...found, slots: [] };
  const names = found.keys.map(({ key }) => key);
  const { rows } = yield selectKeySlots(tables, type, names);
  return { ...found, slots: rows.map((row) => readSlot(row)) };
}
