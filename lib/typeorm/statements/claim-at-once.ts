import type { ClaimedJob } from '../../job/job.js';
import type { ClaimRequest } from '../../repository/job-repository.js';
import type { SlotKind } from '../../repository/inspection-repository.js';
import type { QueueTables } from '../queue-tables.js';
import { optionalNumber } from '../row.js';
import type { SharedSlots } from '../slot-plan.js';
import { statement, type Row, type Script, type Statement } from '../statement.js';
import { columnsFor, isAlive, readClaimed, runningOf, setRunning } from './claim-jobs.js';
import type { ClaimedInKeys, Stretch } from './claim-limited.js';
import { BY_KEY, replaceSlots, type SlotOfJob } from './slots.js';

const WANTED = {
  place: 'integer',
  kind: 'name',
  k: 'name',
  n: 'integer',
  holder: 'id',
  holder_fence: 'integer',
  priority: 'integer',
} as const;

/**
 * The claim of jobs under several keys in one statement, where a WITH may write:
 *
 *     wanted slots ──► locked ──► free, if still as they were found ──► stretches of keys ──► picked jobs ──► claimed ──► used slots
 */
export function* claimAtOnce(
  tables: QueueTables,
  request: ClaimRequest,
  shared: SharedSlots,
  stretches: readonly Stretch[],
): Script<ClaimedInKeys> {
  const { rows } = yield claimStatement(tables, request, shared, stretches);
  const ofKey = new Map(rows.map(({ stretch }) => [String(stretch), new Array<ClaimedJob>()]));
  const claimed = rows.filter(({ id }) => id !== null);
  const keys = new Map(claimed.map(({ id, stretch }) => [String(id), String(stretch)]));
  for (const job of yield* readClaimed(tables, request, claimed)) ofKey.get(keys.get(job.id) ?? '')?.push(job);
  return { ofKey, taken: claimed.flatMap(slotsOf) };
}

function claimStatement(
  tables: QueueTables,
  request: ClaimRequest,
  shared: SharedSlots,
  stretches: readonly Stretch[],
): Statement {
  const kinds = shared.slots.flatMap(([first]) => (first === undefined ? [] : [first.kind]));
  const all: SlotKind[] = ['key', ...kinds];
  const numbers = all.map((kind) => `${kind}_use.n AS ${kind}_slot`).join(', ');
  const uses = all.map(
    (kind) => `LEFT JOIN used ${kind}_use ON ${kind}_use.kind = '${kind}' AND ${kind}_use.job_id = g.id`,
  );
  const sql =
    `WITH ${withSlots(tables, kinds)}, ${withJobs(tables, request)}, ${withUse(tables)} ` +
    `SELECT s.k AS stretch, g.*, ${numbers} FROM stretch s LEFT JOIN given g ON g.concurrency_key = s.k ${uses.join(' ')}`;
  const level = [tables.service, request.type];
  const wanted = JSON.stringify(wantedSlots(shared, stretches));
  const parameters = [wanted, ...level, ...level, Number(request.node), ...runningOf(request), ...level];
  const name = ['claim by keys', ...kinds, ...(request.manual === undefined ? [] : ['manual'])].join(' ');
  return { ...statement(sql, parameters), name };
}

/**
 * Whether a slot is as it was found is asked of the row that was locked, and not in the search for it, which may see it as it was before.
 * For each of the keys no more than there are slots of the other kinds.
 */
function withSlots({ dialect, names }: QueueTables, kinds: readonly SlotKind[]): string {
  const upTo = kinds.map((kind) => ` AND nth <= (SELECT COUNT(*) FROM free WHERE kind = '${kind}')`).join('');
  return (
    `locked AS MATERIALIZED (SELECT v.*, j.job_id, j.fence FROM ${dialect.rows(WANTED)} v ` +
    `${dialect.meetByKey({ table: names.slot, on: BY_KEY, lock: true })}), ` +
    'free AS MATERIALIZED (SELECT kind, k, n, priority, ROW_NUMBER() OVER (PARTITION BY kind ORDER BY place) AS nth, ' +
    'ROW_NUMBER() OVER (PARTITION BY kind, k ORDER BY place) AS nth_of_key FROM locked WHERE job_id = holder AND fence = holder_fence), ' +
    `stretch AS MATERIALIZED (SELECT k, priority, COUNT(*) AS most FROM free WHERE kind = 'key'${upTo} GROUP BY k, priority)`
  );
}

function withJobs(tables: QueueTables, request: ClaimRequest): string {
  const { dialect, names } = tables;
  return (
    `picked AS MATERIALIZED (SELECT j.id FROM stretch v CROSS JOIN LATERAL (SELECT id FROM ${names.job} WHERE service = ? AND state = 'waiting' ` +
    `AND type = ? AND concurrency_key = v.k AND priority = v.priority AND due <= ${dialect.now} AND ${isAlive(names)} ` +
    `ORDER BY due, id LIMIT v.most${dialect.skipLocked}) j), ` +
    `claimed AS (UPDATE ${names.job} ${setRunning(request)} WHERE id = ANY(ARRAY(SELECT id FROM picked)) ` +
    `RETURNING ${columnsFor(tables)}, priority, concurrency_key), ` +
    'given AS MATERIALIZED (SELECT *, ROW_NUMBER() OVER (ORDER BY due, id) AS nth, ' +
    'ROW_NUMBER() OVER (PARTITION BY concurrency_key ORDER BY due, id) AS nth_of_key FROM claimed)'
  );
}

/** The n-th job has the n-th slot of each kind, and of its key. */
function withUse(tables: QueueTables): string {
  return (
    'used AS MATERIALIZED (SELECT f.kind, f.k, f.n, g.id AS job_id, g.fence FROM given g ' +
    "JOIN free f ON f.kind = 'key' AND f.k = g.concurrency_key AND f.nth_of_key = g.nth_of_key UNION ALL " +
    "SELECT f.kind, f.k, f.n, g.id, g.fence FROM given g JOIN free f ON f.kind <> 'key' AND f.nth = g.nth), " +
    `written AS (${replaceSlots(tables, 'used')})`
  );
}

function wantedSlots(shared: SharedSlots, stretches: readonly Stretch[]) {
  const ofAll = shared.slots.flat().map((slot) => ({ slot, priority: 0 }));
  const ofKeys = stretches.flatMap(({ slots, priority }) => slots.map((slot) => ({ slot, priority })));
  return [...ofAll, ...ofKeys].map(({ slot: { kind, key, n, job, fence }, priority }, place) => ({
    place,
    kind,
    k: key,
    n,
    holder: job,
    holder_fence: fence,
    priority,
  }));
}

function slotsOf(row: Row): SlotOfJob[] {
  const of = (kind: SlotKind, key: string) => {
    const n = optionalNumber(row[`${kind}_slot`]);
    const [job, fence] = [Number(row['id']), Number(row['fence'])];
    return n === undefined ? [] : [{ slot: { kind, key, n, job, fence }, job, fence }];
  };
  return [...of('key', String(row['stretch'])), ...of('type', ''), ...of('rate', '')];
}
