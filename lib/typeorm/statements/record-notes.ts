import type { NotedJob } from '../../repository/job-repository.js';
import type { QueueTables } from '../queue-tables.js';
import { statement, type Script } from '../statement.js';

/** Writes down progress and log lines of running jobs; those of a claim that is over are dropped. */
export function* recordNotes(tables: QueueTables, noted: readonly NotedJob[]): Script<void> {
  const { dialect, names } = tables;
  const progress = noted.flatMap(({ id, fence, notes }) =>
    notes.progress === undefined ? [] : [{ id: Number(id), fence, progress: notes.progress }],
  );
  if (progress.length > 0) {
    const sql = dialect.joinedUpdate({
      table: names.job,
      source: dialect.rows({ id: 'id', fence: 'integer', progress: 'text' }),
      set: { progress: 'v.progress' },
      on: "j.id = v.id AND j.fence = v.fence AND j.state = 'running'",
    });
    yield statement(sql, [JSON.stringify(progress.sort((a, b) => a.id - b.id))]);
  }
  const now = performance.now();
  const lines = noted.flatMap(({ id, fence, notes }) =>
    notes.lines.map(({ line, at, message }) => ({ id: Number(id), fence, line, ago: Math.round(now - at), message })),
  );
  if (lines.length > 0) yield statement(insertLines(tables), [JSON.stringify(lines)]);
}

function insertLines({ dialect, names }: QueueTables): string {
  const source = dialect.rows({ id: 'id', fence: 'integer', line: 'integer', ago: 'integer', message: 'text' });
  return (
    `INSERT INTO ${names.log} (job_id, fence, line, logged_at, message) ` +
    `SELECT v.id, v.fence, v.line, ${dialect.now} - v.ago, v.message FROM ${source} v ` +
    `${dialect.joinByKey(names.job)} ON j.id = v.id AND j.fence = v.fence WHERE j.state = 'running' ${dialect.skipDuplicates('job_id')}`
  );
}
