import type { JobState } from '../../job/job-state.js';
import type { JobToken } from '../../job/job.js';
import type { QueueTables } from '../queue-tables.js';
import { statement, type Script } from '../statement.js';

interface LeftClaim extends JobToken {
  /** What it should have left its row in. */
  readonly state: JobState;
}

/**
 * Those of these claims whose row carries another fence, or another state than this very claim should have left it in: what its
 * neighbours in the batch have left behind says nothing about it.
 */
export function* findLost<Claim extends LeftClaim>(
  { dialect, names }: QueueTables,
  claims: readonly Claim[],
): Script<Claim[]> {
  const source = dialect.rows({ id: 'id', fence: 'integer', state: 'name' });
  const kept = yield statement(
    `SELECT j.id, j.fence, j.state FROM ${source} v ${dialect.joinByKey(names.job)} ON j.id = v.id AND j.fence = v.fence AND j.state = v.state`,
    [JSON.stringify(claims.map(({ id, fence, state }) => ({ id: Number(id), fence, state })))],
  );
  const left = new Set(kept.rows.map(({ id, fence, state }) => `${String(id)}:${String(fence)}:${String(state)}`));
  return claims.filter(({ id, fence, state }) => !left.has(`${id}:${fence}:${state}`));
}

/**
 * A claim of a manual handler may have been acknowledged before the handler returned: then the job has ended under its fence, or has been
 * deleted with its end, and nothing was lost.
 */
export function* withoutAcknowledged<Claim extends LeftClaim & { readonly manual: boolean }>(
  { dialect, names }: QueueTables,
  over: readonly Claim[],
): Script<readonly Claim[]> {
  const manual = over.filter((claim) => claim.manual);
  if (manual.length === 0) return over;
  const source = dialect.rows({ id: 'id', fence: 'integer' });
  const taken = yield statement(
    `SELECT v.id, v.fence FROM ${source} v ${dialect.joinByKey(names.job)} ON j.id = v.id AND j.fence <> v.fence`,
    [JSON.stringify(manual.map(({ id, fence }) => ({ id: Number(id), fence })))],
  );
  const lost = new Set(taken.rows.map(({ id, fence }) => `${String(id)}:${String(fence)}`));
  return over.filter((claim) => !claim.manual || lost.has(`${claim.id}:${claim.fence}`));
}
