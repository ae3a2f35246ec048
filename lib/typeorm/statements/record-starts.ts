import type { StartedJob } from '../../repository/job-repository.js';
import type { QueueTables } from '../queue-tables.js';
import { statement, type Script } from '../statement.js';
import { findLost } from './find-lost.js';

/** Writes down when handlers were called. */
export function* recordStarts(tables: QueueTables, starts: readonly StartedJob[]): Script<string[]> {
  const { dialect, names } = tables;
  const sql = dialect.joinedUpdate({
    table: names.job,
    source: dialect.rows({ id: 'id', fence: 'integer', ago: 'integer' }),
    set: { started_at: `${dialect.now} - v.ago` },
    on: "j.id = v.id AND j.fence = v.fence AND j.state = 'running'",
  });
  const rows = starts
    .map(({ id, fence, ago }) => ({ id: Number(id), fence, ago: Math.round(ago) }))
    .sort((a, b) => a.id - b.id);
  const { affected } = yield statement(sql, [JSON.stringify(rows)]);
  if (affected === rows.length) return [];
  const lost = yield* findLost(
    tables,
    starts.map(({ id, fence }) => ({ id, fence, state: 'running' as const })),
  );
  return lost.map(({ id }) => id);
}
