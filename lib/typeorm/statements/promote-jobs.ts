import type { QueueTables } from '../queue-tables.js';
import { statement, type Script } from '../statement.js';

/** Due scheduled jobs become waiting ones. Rows that another node is promoting are left to it. */
export function* promoteJobs({ dialect, names, service }: QueueTables, limit: number): Script<number> {
  const due = yield statement(
    `SELECT id FROM ${names.job}${dialect.forceIndex(`${names.job}_due`)} ` +
      `WHERE service = ? AND state = 'scheduled' AND due <= ${dialect.now} ORDER BY due LIMIT ?${dialect.skipLocked}`,
    [service, limit],
  );
  if (due.rows.length === 0) return 0;
  const ids = due.rows.map((row) => ({ id: Number(row['id']) })).sort((a, b) => a.id - b.id);
  const sql = dialect.joinedUpdate({
    table: names.job,
    source: dialect.rows({ id: 'id' }),
    set: { state: "'waiting'" },
    on: "j.id = v.id AND j.state = 'scheduled'",
  });
  return (yield statement(sql, [JSON.stringify(ids)])).affected;
}
