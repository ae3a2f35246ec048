import type { Attempt } from '../../job/attempt.js';
import type { QueueTables } from '../queue-tables.js';
import { optionalMoment } from '../row.js';
import { statement, type Row, type Statement } from '../statement.js';

/** Whether the latest claim of a locked row has got as far as its handler. */
export function hasBegun(row: Row): boolean {
  return Number(row['started_at']) > 0 || isDelivered(row);
}

/** Its handler has returned without ending the job: then the attempt is in the history already. */
export function isDelivered(row: Row): boolean {
  return Number(row['delivered_at']) > 0;
}

/** Writes how the latest attempt of a locked row has ended, if that is somebody else's doing than its handler's. */
export function endAttempt(
  { dialect, names, service }: QueueTables,
  id: number,
  row: Row,
  { outcome, reason, error }: Pick<Attempt, 'outcome' | 'reason' | 'error'>,
): Statement {
  const fence = Number(row['fence']);
  const end = [outcome, reason ?? null, error === undefined ? null : JSON.stringify(error)];
  if (isDelivered(row)) {
    return statement(
      `UPDATE ${names.attempt} SET outcome = ?, reason = ?, error = COALESCE(?, error), ended_at = ${dialect.now} WHERE job_id = ? AND fence = ?`,
      [...end, id, fence],
    );
  }
  const node = `${String(row['node_name'])}#${String(row['node_id'])}`;
  return statement(
    `INSERT INTO ${names.attempt} (job_id, fence, service, attempt, node, started_at, ended_at, outcome, reason, error) ` +
      `VALUES (?, ?, ?, ?, ?, ?, ${dialect.now}, ?, ?, ?)`,
    [id, fence, service, Number(row['retries']) + 1, node, optionalMoment(row['started_at']) ?? null, ...end],
  );
}
