import type { JobToken } from '../../job/job.js';
import type { QueueTables } from '../queue-tables.js';
import type { Script } from '../statement.js';
import { flipped, holdRow } from './hold-row.js';

/** Holds the job's row, so that nobody can end the claim before this transaction does; `false` if somebody has. */
export function holdClaim({ dialect, names }: QueueTables, { id, fence }: JobToken): Script<boolean> {
  return holdRow(dialect, {
    table: names.job,
    where: "id = ? AND fence = ? AND state = 'running'",
    parameters: [Number(id), fence],
    flip: flipped('created_at'),
  });
}
