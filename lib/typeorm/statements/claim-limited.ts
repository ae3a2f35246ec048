import type { ClaimedJob } from '../../job/job.js';
import type { ClaimRequest } from '../../repository/job-repository.js';
import type { QueueTables } from '../queue-tables.js';
import type { SharedSlots, Share } from '../slot-plan.js';
import { statement, type Parameter, type Script, type Statement } from '../statement.js';
import { claimJobs, columnsFor, lockThenUpdate, readClaimed } from './claim-jobs.js';
import { lockSlots, takeSlots, unchanged, type Slot, type SlotOfJob } from './slots.js';

/** What to claim under one key, from a due time on. */
export interface Stretch extends Omit<Share, 'isAll'> {
  readonly from: number;
}

export interface ClaimedInSlots {
  readonly jobs: readonly ClaimedJob[];
  /** For how many there were slots in the end: fewer than planned where somebody else has taken some, or is about to. */
  readonly slots: number;
  readonly taken: readonly SlotOfJob[];
}

/** Of each key for which there was a slot in the end, maybe without a job for it. */
export interface ClaimedInKeys {
  readonly ofKey: ReadonlyMap<string, readonly ClaimedJob[]>;
  readonly taken: readonly SlotOfJob[];
}

/** Slots first, then jobs: nobody is waited for, and a slot that finds no job is as free as it was. */
export function* claimUnkeyed(
  tables: QueueTables,
  request: ClaimRequest,
  planned: SharedSlots,
  from: number,
): Script<ClaimedInSlots> {
  const shared = yield* lockShared(tables, request, planned, []);
  const jobs =
    shared.most === 0 ? [] : yield* claimJobs(tables, { ...request, limit: shared.most }, { due: from, id: 0 });
  const taken = yield* take(tables, request.type, jobs, shared.slots);
  return { jobs, slots: shared.most, taken };
}

/** The same under several keys. */
export function* claimKeyed(
  tables: QueueTables,
  request: ClaimRequest,
  planned: SharedSlots,
  stretches: readonly Stretch[],
): Script<ClaimedInKeys> {
  const { type } = request;
  const shared = yield* lockShared(
    tables,
    request,
    planned,
    stretches.flatMap(({ slots }) => slots),
  );
  const stillFree = atMost(
    shared.most,
    stretches.map((stretch) => ({ ...stretch, slots: unchanged(stretch.slots, shared.rows) })),
  );
  const ofKey = new Map<string, ClaimedJob[]>(stillFree.map(({ key }) => [key, []]));
  if (stillFree.length === 0) return { taken: [], ofKey };
  const claimed = yield* lockThenUpdate(tables, request, selectStretches(tables, request, stillFree));
  const keys = new Map(claimed.map(({ id, place }) => [String(id), stillFree[Number(place)]?.key ?? '']));
  const jobs = yield* readClaimed(tables, request, claimed);
  for (const job of jobs) ofKey.get(keys.get(job.id) ?? '')?.push(job);
  const inOrder = stillFree.flatMap(({ key }) => ofKey.get(key) ?? []);
  const own = stillFree.flatMap((stretch) => stretch.slots.slice(0, ofKey.get(stretch.key)?.length));
  const taken = yield* take(tables, type, inOrder, [...shared.slots, own]);
  return { taken, ofKey };
}

function* lockShared(tables: QueueTables, request: ClaimRequest, planned: SharedSlots, others: readonly Slot[]) {
  const { rows } = yield lockSlots(tables, request, [...planned.slots.flat(), ...others]);
  const slots = planned.slots.map((kind) => unchanged(kind, rows));
  return { rows, slots, most: Math.min(planned.most, ...slots.map(({ length }) => length)) };
}

/** The n-th job has the n-th slot of each kind. */
function* take(
  tables: QueueTables,
  type: string,
  jobs: readonly ClaimedJob[],
  kinds: readonly (readonly Slot[])[],
): Script<SlotOfJob[]> {
  const taken = jobs.flatMap(({ id, fence }, at) =>
    kinds.flatMap((slots) => slots.slice(at, at + 1).map((slot) => ({ slot, job: Number(id), fence }))),
  );
  if (taken.length > 0) yield takeSlots(tables, type, taken);
  return taken;
}

function atMost(most: number, stretches: readonly Stretch[]): Stretch[] {
  let left = most;
  return stretches.flatMap((stretch) => {
    const slots = stretch.slots.slice(0, left);
    left -= slots.length;
    return slots.length === 0 ? [] : [{ ...stretch, slots }];
  });
}

/** One stretch of the claim index for each key, and its place among them. */
function selectStretches(tables: QueueTables, request: ClaimRequest, stretches: readonly Stretch[]): Statement {
  const { dialect, names, service } = tables;
  const parts = stretches.map(({ slots }, place) =>
    dialect.unionPart(
      `SELECT ${columnsFor(tables)}, priority, ${place} AS place FROM ${names.job}${dialect.forceIndex(`${names.job}_claim`)} ` +
        `WHERE service = ? AND state = 'waiting' AND type = ? AND concurrency_key = ? AND priority = ? AND due >= ? AND due <= ${dialect.now} ` +
        `ORDER BY due, id LIMIT ${slots.length}${dialect.skipLocked}`,
    ),
  );
  const parameters = stretches.flatMap(({ key, priority, from }): Parameter[] => [
    service,
    request.type,
    key,
    priority,
    from,
  ]);
  return statement(parts.join(' UNION ALL '), parameters);
}
