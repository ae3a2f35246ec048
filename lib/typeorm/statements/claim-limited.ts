import type { ClaimedJob } from '../../job/job.js';
import type { ClaimRequest } from '../../repository/job-repository.js';
import type { QueueTables } from '../queue-tables.js';
import type { SharedSlots, Share } from '../slot-plan.js';
import { statement, type Parameter, type Script, type Statement } from '../statement.js';
import { claimJobs, claimThese } from './claim-jobs.js';
import { lockSlots, takeSlots, unchanged, type Slot } from './slots.js';

/** What to claim under one key, from a due time on. */
export interface Stretch extends Share {
  readonly from: number;
}

export interface ClaimedInSlots {
  readonly jobs: readonly ClaimedJob[];
  /** For how many there were slots in the end: fewer than planned where somebody else has taken some, or is about to. */
  readonly slots: number;
}

/** Slots first, then jobs: nobody is waited for, and a slot that finds no job is as free as it was. */
export function* claimUnkeyed(
  tables: QueueTables,
  request: ClaimRequest,
  planned: SharedSlots,
  from: number,
): Script<ClaimedInSlots> {
  const shared = yield* lockShared(tables, request.type, planned, []);
  const jobs =
    shared.most === 0 ? [] : yield* claimJobs(tables, { ...request, limit: shared.most }, { due: from, id: 0 });
  yield* take(tables, request.type, jobs, shared.slots);
  return { jobs, slots: shared.most };
}

/** The same under several keys; answers the jobs of each too. */
export function* claimKeyed(
  tables: QueueTables,
  request: ClaimRequest,
  planned: SharedSlots,
  stretches: readonly Stretch[],
): Script<ClaimedInSlots & { readonly ofKey: ReadonlyMap<string, readonly ClaimedJob[]> }> {
  const { type } = request;
  const shared = yield* lockShared(
    tables,
    type,
    planned,
    stretches.flatMap(({ slots }) => slots),
  );
  const stillFree = atMost(
    shared.most,
    stretches.map((stretch) => ({ ...stretch, slots: unchanged(stretch.slots, shared.rows) })),
  );
  const ofKey = new Map<string, ClaimedJob[]>(stillFree.map(({ key }) => [key, []]));
  const slots = stillFree.reduce((sum, stretch) => sum + stretch.slots.length, 0);
  if (slots === 0) return { jobs: [], slots, ofKey };
  const found = (yield selectStretches(tables, type, stillFree)).rows;
  const keys = new Map(found.map(({ id, place }) => [String(id), stillFree[Number(place)]?.key ?? '']));
  const jobs =
    found.length === 0
      ? []
      : yield* claimThese(
          tables,
          request,
          found.map(({ id }) => Number(id)),
        );
  for (const job of jobs) ofKey.get(keys.get(job.id) ?? '')?.push(job);
  const inOrder = stillFree.flatMap(({ key }) => ofKey.get(key) ?? []);
  const own = stillFree.flatMap((stretch) => stretch.slots.slice(0, ofKey.get(stretch.key)?.length));
  yield* take(tables, type, inOrder, [...shared.slots, own]);
  return { jobs, slots, ofKey };
}

function* lockShared(tables: QueueTables, type: string, planned: SharedSlots, others: readonly Slot[]) {
  const { rows } = yield lockSlots(tables, type, [...planned.slots.flat(), ...others]);
  const slots = planned.slots.map((kind) => unchanged(kind, rows));
  return { rows, slots, most: Math.min(planned.most, ...slots.map(({ length }) => length)) };
}

/** The n-th job has the n-th slot of each kind. */
function* take(
  tables: QueueTables,
  type: string,
  jobs: readonly ClaimedJob[],
  kinds: readonly (readonly Slot[])[],
): Script<void> {
  const taken = jobs.flatMap(({ id, fence }, at) =>
    kinds.flatMap((slots) => slots.slice(at, at + 1).map((slot) => ({ slot, job: Number(id), fence }))),
  );
  if (taken.length > 0) yield takeSlots(tables, type, taken);
}

function atMost(most: number, stretches: readonly Stretch[]): Stretch[] {
  let left = most;
  return stretches.flatMap((stretch) => {
    const slots = stretch.slots.slice(0, left);
    left -= slots.length;
    return slots.length === 0 ? [] : [{ ...stretch, slots }];
  });
}

/** One stretch of the claim index for each key. */
function selectStretches(tables: QueueTables, type: string, stretches: readonly Stretch[]): Statement {
  if (tables.dialect.hasLateral) return selectByJoin(tables, type, stretches);
  const { dialect, names, service } = tables;
  const parts = stretches.map(
    ({ slots }, place) =>
      `SELECT * FROM (SELECT ${place} AS place, id FROM ${names.job}${dialect.forceIndex(`${names.job}_claim`)} ` +
      `WHERE service = ? AND state = 'waiting' AND type = ? AND concurrency_key = ? AND priority = ? AND due >= ? AND due <= ${dialect.now} ` +
      `ORDER BY due, id LIMIT ${slots.length}) s${place}`,
  );
  const parameters = stretches.flatMap(({ key, priority, from }): Parameter[] => [service, type, key, priority, from]);
  return statement(parts.join(' UNION ALL '), parameters);
}

/** PostgreSQL would take longer to plan a SELECT for each of them than to run all. */
function selectByJoin(
  { dialect, names, service }: QueueTables,
  type: string,
  stretches: readonly Stretch[],
): Statement {
  const source = dialect.rows({ place: 'integer', k: 'name', priority: 'integer', most: 'integer' });
  const first =
    `SELECT id FROM ${names.job} WHERE service = ? AND state = 'waiting' AND type = ? AND concurrency_key = v.k ` +
    `AND priority = v.priority AND due <= ${dialect.now} ORDER BY due, id LIMIT v.most`;
  const rows = stretches.map(({ key, priority, slots }, place) => ({ place, k: key, priority, most: slots.length }));
  return statement(`SELECT v.place, j.id FROM ${source} v CROSS JOIN LATERAL (${first}) j`, [
    JSON.stringify(rows),
    service,
    type,
  ]);
}
