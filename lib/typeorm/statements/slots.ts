import type { JobLimits } from '../../job/job-limits.js';
import type { ClaimRequest } from '../../repository/claim-request.js';
import type { SlotKind } from '../../repository/inspection-repository.js';
import type { QueueTables } from '../queue-tables.js';
import type { TableNames } from '../schema/tables.js';
import { isAlive } from './claim-jobs.js';
import { byBytes } from './gaps.js';
import { statement, type Parameter, type Row, type Statement } from '../statement.js';

/** A slot as it was when it was found free; one that has never been taken has no job. */
export interface Slot {
  readonly kind: SlotKind;
  readonly key: string;
  readonly n: number;
  readonly job: number;
  readonly fence: number;
}

/** `freeIn`: milliseconds, 0 for a free one; `undefined`: when its job ends. */
export interface KnownSlot {
  readonly slot: Slot;
  readonly freeIn: number | undefined;
  /** Milliseconds since it was taken. */
  readonly age: number;
}

/** Those of the whole type. */
export function selectSharedSlots(tables: QueueTables, type: string, { concurrency, rate }: JobLimits): Statement {
  const ranges = [
    ...(concurrency === undefined ? [] : [{ kind: 'type', k: '' }]),
    ...(rate === undefined ? [] : [{ kind: 'rate', k: '' }]),
  ];
  return selectSlots(tables, type, ranges);
}

export function selectKeySlots(tables: QueueTables, type: string, keys: readonly string[]): Statement {
  return selectSlots(
    tables,
    type,
    keys.map((k) => ({ kind: 'key', k })),
  );
}

/** Those above a lowered limit too: what runs in them counts. Each slot's job is looked up by its id alone: asked for the state too, PostgreSQL might go through all jobs that run. */
function selectSlots({ dialect, names, service }: QueueTables, type: string, ranges: readonly object[]): Statement {
  const source = dialect.rows({ kind: 'name', k: 'name' });
  const on = 'j.service = ? AND j.type = ? AND j.kind = v.kind AND j.slot_key = v.k';
  return statement(
    `SELECT j.kind, j.slot_key, j.n, j.job_id, j.fence, ${dialect.now} - j.taken_at AS age, (${holderState(names)}) AS holder ` +
      `FROM ${source} v ${dialect.meetByKey({ table: names.slot, on, lock: false })}`,
    [JSON.stringify(ranges), service, type],
  );
}

/** The state of the job that has taken the slot `j`, while it has the fence with which it did. */
export function holderState({ job }: TableNames): string {
  return `SELECT h.state FROM ${job} h WHERE h.id = j.job_id AND h.fence = j.fence`;
}

/** `per`: of the rate. */
export function readSlot(row: Row, per = 0): KnownSlot {
  const slot = slotOf(row);
  const age = Number(row['age']);
  if (slot.kind === 'rate') return { slot, age, freeIn: Math.max(0, per - age) };
  return { slot, age, freeIn: String(row['holder']) === 'running' ? undefined : 0 };
}

function slotOf(row: Row): Slot {
  return {
    kind: String(row['kind']) as SlotKind,
    key: String(row['slot_key']),
    n: Number(row['n']),
    job: Number(row['job_id']),
    fence: Number(row['fence']),
  };
}

/**
 * A statement of its own: in a transaction, others that add the same ones would wait for its end. All of them add in one order, in which two
 * wait for each other's statement at most, and never both at once.
 */
export function insertSlots({ dialect, names, service }: QueueTables, type: string, slots: readonly Slot[]): Statement {
  return statement(
    `INSERT INTO ${names.slot} (service, type, kind, slot_key, n) VALUES ${slots.map(() => '(?, ?, ?, ?, ?)').join(', ')} ${dialect.skipDuplicates('n')}`,
    slots.toSorted(byKey).flatMap(({ kind, key, n }): Parameter[] => [service, type, kind, key, n]),
  );
}

function byKey(a: Slot, b: Slot): number {
  return byBytes(a.kind, b.kind) || byBytes(a.key, b.key) || a.n - b.n;
}

/**
 * Those that nobody else is about to take, as they are now, for a node that is alive. Whether their jobs run is not asked again here:
 * PostgreSQL would answer for the time before it had the lock. A slot that is as it was found is still free, because no job runs twice under
 * one fence.
 */
export function lockSlots(
  { dialect, names, service }: QueueTables,
  { type, node }: ClaimRequest,
  slots: readonly Slot[],
): Statement {
  const source = dialect.rows({ kind: 'name', k: 'name', n: 'integer' });
  const on = `${BY_KEY} AND ${isAlive(names)}`;
  return statement(
    `SELECT j.kind, j.slot_key, j.n, j.job_id, j.fence FROM ${source} v ` +
      dialect.meetByKey({ table: names.slot, on, lock: true }),
    [JSON.stringify(slots.map(({ kind, key, n }) => ({ kind, k: key, n }))), service, type, Number(node)],
  );
}

export const BY_KEY = 'j.service = ? AND j.type = ? AND j.kind = v.kind AND j.slot_key = v.k AND j.n = v.n';

/** Those of `slots` that are among the locked rows and have not been taken since. */
export function unchanged(slots: readonly Slot[], rows: readonly Row[]): Slot[] {
  const locked = new Set(rows.map((row) => stateOf(slotOf(row))));
  return slots.filter((slot) => locked.has(stateOf(slot)));
}

function stateOf(slot: Slot): string {
  return JSON.stringify([slot.kind, slot.key, slot.n, slot.job, slot.fence]);
}

/** Gives locked slots to jobs that have just been claimed. */
export function takeSlots(tables: QueueTables, type: string, taken: readonly SlotOfJob[]): Statement {
  const { dialect, names, service } = tables;
  const source = dialect.rows({ kind: 'name', k: 'name', n: 'integer', job_id: 'id', fence: 'integer' });
  const rows = JSON.stringify(
    taken.map(({ slot: { kind, key, n }, job, fence }) => ({ kind, k: key, n, job_id: job, fence })),
  );
  if (dialect.hasOnConflict) return statement(replaceSlots(tables, source), [service, type, rows]);
  const set = { job_id: 'v.job_id', fence: 'v.fence', taken_at: dialect.now };
  return statement(dialect.joinedUpdate({ table: names.slot, source, set, on: BY_KEY }), [rows, service, type]);
}

export interface SlotOfJob {
  readonly slot: Slot;
  readonly job: number;
  readonly fence: number;
}

/** By key, whatever the planner thinks of the table: all of these rows are there. */
export function replaceSlots({ dialect, names }: QueueTables, source: string): string {
  const columns = 'service, type, kind, slot_key, n, job_id, fence, taken_at';
  return (
    `INSERT INTO ${names.slot} (${columns}) SELECT ?, ?, v.kind, v.k, v.n, v.job_id, v.fence, ${dialect.now} FROM ${source} v WHERE 1 = 1 ` +
    'ON CONFLICT (service, type, kind, slot_key, n) DO UPDATE SET job_id = excluded.job_id, fence = excluded.fence, taken_at = excluded.taken_at'
  );
}
