import type { JobLimits } from '../../job/job-limits.js';
import type { QueueTables } from '../queue-tables.js';
import { statement, type Parameter, type Row, type Statement } from '../statement.js';

export type SlotKind = 'type' | 'key' | 'rate';

/** A slot as it was when it was found free; one that has never been taken has no job. */
export interface Slot {
  readonly kind: SlotKind;
  readonly key: string;
  readonly n: number;
  readonly job: number;
  readonly fence: number;
  readonly taken: number;
}

/** `freeIn`: milliseconds, 0 for a free one; `undefined`: when its job ends. */
export interface KnownSlot {
  readonly slot: Slot;
  readonly freeIn: number | undefined;
}

/** Who has a slot for a job that runs, and for how long a rate's have been taken. */
interface Range {
  readonly kind: SlotKind;
  readonly keys: readonly string[];
  readonly most: number;
}

/** Those of the whole type. */
export function selectSharedSlots(tables: QueueTables, type: string, { concurrency, rate }: JobLimits): Statement {
  const ranges: Range[] = [];
  if (concurrency !== undefined) ranges.push({ kind: 'type', keys: [''], most: concurrency });
  if (rate !== undefined) ranges.push({ kind: 'rate', keys: [''], most: rate.max });
  return selectSlots(tables, type, ranges);
}

export function selectKeySlots(tables: QueueTables, type: string, keys: readonly string[], most: number): Statement {
  return selectSlots(tables, type, [{ kind: 'key', keys, most }]);
}

/** Each row's job is looked up by its id: a planner that knows nothing of the tables could not do it in another way. */
function selectSlots({ dialect, names, service }: QueueTables, type: string, ranges: readonly Range[]): Statement {
  const holder = `SELECT 1 FROM ${names.job} j WHERE j.id = s.job_id AND j.fence = s.fence AND j.state = 'running'`;
  const parts = ranges.map(
    ({ keys }) =>
      `SELECT s.kind, s.slot_key, s.n, s.job_id, s.fence, s.taken_at, ${dialect.now} - s.taken_at AS age, (${holder}) AS held FROM ${names.slot} s ` +
      `WHERE s.service = ? AND s.type = ? AND s.kind = ? AND s.slot_key IN (${keys.map(() => '?').join(', ')}) AND s.n <= ?`,
  );
  const parameters = ranges.flatMap(({ kind, keys, most }): Parameter[] => [service, type, kind, ...keys, most]);
  return statement(parts.join(' UNION ALL '), parameters);
}

/** `per`: of the rate. */
export function readSlot(row: Row, per = 0): KnownSlot {
  const slot = slotOf(row);
  if (slot.kind === 'rate') return { slot, freeIn: Math.max(0, per - Number(row['age'])) };
  return { slot, freeIn: row['held'] === null ? 0 : undefined };
}

function slotOf(row: Row): Slot {
  return {
    kind: String(row['kind']) as SlotKind,
    key: String(row['slot_key']),
    n: Number(row['n']),
    job: Number(row['job_id']),
    fence: Number(row['fence']),
    taken: Number(row['taken_at']),
  };
}

/** A statement of its own, which waits for nobody that takes his time: in a transaction others would wait for its end. */
export function insertSlots({ dialect, names, service }: QueueTables, type: string, slots: readonly Slot[]): Statement {
  return statement(
    `INSERT INTO ${names.slot} (service, type, kind, slot_key, n) VALUES ${slots.map(() => '(?, ?, ?, ?, ?)').join(', ')} ${dialect.skipDuplicates('n')}`,
    slots.flatMap(({ kind, key, n }): Parameter[] => [service, type, kind, key, n]),
  );
}

/**
 * Those that nobody else is about to take, as they are now. Whether their jobs run is not asked again here: PostgreSQL would answer for the
 * time before it had the lock. A slot that is as it was found is still free, because no job runs twice under one fence.
 */
export function lockSlots({ dialect, names, service }: QueueTables, type: string, slots: readonly Slot[]): Statement {
  const source = dialect.rows({ kind: 'name', k: 'name', n: 'integer' });
  return statement(
    `SELECT j.kind, j.slot_key, j.n, j.job_id, j.fence, j.taken_at FROM ${source} v ${dialect.joinByKey(names.slot)} ` +
      `ON ${BY_KEY}${dialect.skipLockedJoined}`,
    [JSON.stringify(slots.map(({ kind, key, n }) => ({ kind, k: key, n }))), service, type],
  );
}

const BY_KEY = 'j.service = ? AND j.type = ? AND j.kind = v.kind AND j.slot_key = v.k AND j.n = v.n';

/** Those of `slots` that are among the locked rows and have not been taken since. */
export function unchanged(slots: readonly Slot[], rows: readonly Row[]): Slot[] {
  const locked = new Set(rows.map((row) => stateOf(slotOf(row))));
  return slots.filter((slot) => locked.has(stateOf(slot)));
}

function stateOf(slot: Slot): string {
  return JSON.stringify([slot.kind, slot.key, slot.n, slot.job, slot.fence, slot.taken]);
}

/** Gives locked slots to jobs that have just been claimed. */
export function takeSlots(
  { dialect, names, service }: QueueTables,
  type: string,
  taken: readonly { readonly slot: Slot; readonly job: number; readonly fence: number }[],
): Statement {
  return statement(
    dialect.joinedUpdate({
      table: names.slot,
      source: dialect.rows({ kind: 'name', k: 'name', n: 'integer', job_id: 'id', fence: 'integer' }),
      set: { job_id: 'v.job_id', fence: 'v.fence', taken_at: dialect.now },
      on: BY_KEY,
    }),
    [
      JSON.stringify(taken.map(({ slot: { kind, key, n }, job, fence }) => ({ kind, k: key, n, job_id: job, fence }))),
      service,
      type,
    ],
  );
}
