import type { RecordedError } from '../../support/serialise-error.js';
import type { QueueTables } from '../queue-tables.js';
import { statement, type Row, type Script, type Statement } from '../statement.js';

/**
 * Due scheduled jobs become waiting ones, and so do delivered ones that nobody has acknowledged in time. Rows that another node is
 * promoting are left to it.
 */
export function* promoteJobs(tables: QueueTables, limit: number): Script<number> {
  const { dialect, names, service } = tables;
  const due = yield statement(
    `SELECT id, fence, delivered_at, ack_timeout FROM ${names.job}${dialect.forceIndex(`${names.job}_due`)} ` +
      `WHERE service = ? AND state = 'scheduled' AND due <= ${dialect.now} ORDER BY due LIMIT ?${dialect.skipLocked}`,
    [service, limit],
  );
  if (due.rows.length === 0) return 0;
  const [late, others] = [due.rows.filter(isDelivered), due.rows.filter((row) => !isDelivered(row))];
  const ids = others.map((row) => ({ id: Number(row['id']) })).sort((a, b) => a.id - b.id);
  const sql = dialect.joinedUpdate({
    table: names.job,
    source: dialect.rows({ id: 'id' }),
    set: { state: "'waiting'" },
    on: "j.id = v.id AND j.state = 'scheduled'",
  });
  const promoted = ids.length === 0 ? 0 : (yield statement(sql, [JSON.stringify(ids)])).affected;
  return late.length === 0 ? promoted : promoted + (yield takeBack(tables, late)).affected;
}

function isDelivered(row: Row): boolean {
  return Number(row['delivered_at']) > 0;
}

/** Until the next claim they stay delivered: an acknowledgement that comes now is late, and still counts. */
function takeBack({ dialect, names }: QueueTables, rows: readonly Row[]): Statement {
  const sql = dialect.joinedUpdate({
    table: names.job,
    source: dialect.rows({ id: 'id', fence: 'integer', error: 'text' }),
    set: { state: "'waiting'", retries: 'j.retries + 1', last_error: 'v.error' },
    on: "j.id = v.id AND j.fence = v.fence AND j.state = 'scheduled'",
  });
  const late = rows
    .map((row) => ({ id: Number(row['id']), fence: Number(row['fence']), error: notAcknowledged(row) }))
    .sort((a, b) => a.id - b.id);
  return statement(sql, [JSON.stringify(late)]);
}

function notAcknowledged(row: Row): string {
  const message = `Delivery ${String(row['fence'])} was not acknowledged within ${String(row['ack_timeout'])} ms (ackTimeout).`;
  return JSON.stringify({ name: 'AcknowledgementTimeout', message } satisfies RecordedError);
}
