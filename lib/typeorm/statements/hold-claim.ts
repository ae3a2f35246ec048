import type { JobToken } from '../../job/job.js';
import type { QueueTables } from '../queue-tables.js';
import { statement, type Script } from '../statement.js';

/** Locks the job's row, so that nobody can end the claim before this transaction does; `false` if somebody has. */
export function* holdClaim({ dialect, names }: QueueTables, { id, fence }: JobToken): Script<boolean> {
  const { rows } = yield statement(
    `SELECT id FROM ${names.job} WHERE id = ? AND fence = ? AND state = 'running'${dialect.lockRow}`,
    [Number(id), fence],
  );
  return rows.length > 0;
}
