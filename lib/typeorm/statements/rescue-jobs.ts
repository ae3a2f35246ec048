import type { RecordedError } from '../../support/serialise-error.js';
import type { RescuedJob } from '../../repository/job-repository.js';
import { optionalMoment } from '../row.js';
import type { QueueTables } from '../queue-tables.js';
import { RELEASES_KEY } from './settle-jobs.js';
import { statement, type Row, type Script, type Statement } from '../statement.js';

interface Orphan {
  readonly id: number;
  readonly fence: number;
  readonly type: string;
  readonly node: string;
  readonly attempt: number;
  readonly crashes: number;
  readonly startedAt: number | undefined;
  readonly failed: boolean;
}

/**
 * First nodes without a heartbeat become dead; then the fences of all running jobs of nodes that are not alive are raised.
 * In this order, and the second for all of them each time: a claim that was under way when its node was found dead may
 * commit after the first look.
 */
export function* rescueJobs(tables: QueueTables, limit: number, keep: number): Script<RescuedJob[]> {
  yield* findDead(tables);
  const { rows } = yield selectOrphans(tables, limit);
  if (rows.length === 0) return [];
  const orphans = rows.map(readOrphan).sort((a, b) => a.id - b.id);
  yield releaseOrphans(tables, orphans, keep);
  const started = orphans.filter((orphan) => orphan.startedAt !== undefined);
  if (started.length > 0) yield insertCrashes(tables, started);
  return orphans.map(({ id, fence, type, failed }) => ({
    id: String(id),
    fence,
    type,
    state: failed ? 'failed' : 'waiting',
  }));
}

/** Skipping rows that are locked: a rescuer that was stopped in its transaction must not stop all others. */
function* findDead({ dialect, names, service }: QueueTables): Script<void> {
  const silent = `service = ? AND state = 'alive' AND expires_at < ${dialect.now}`;
  const { rows } = yield statement(`SELECT id FROM ${names.node} WHERE ${silent}${dialect.skipLocked}`, [service]);
  for (const row of rows) {
    yield statement(`UPDATE ${names.node} SET state = 'dead' WHERE id = ? AND ${silent}`, [Number(row['id']), service]);
  }
}

function selectOrphans({ dialect, names, service }: QueueTables, limit: number): Statement {
  const alive = `SELECT n.id FROM ${names.node} n WHERE n.service = ? AND n.state = 'alive'`;
  const name = `SELECT n.name FROM ${names.node} n WHERE n.id = node_id`;
  return statement(
    `SELECT id, fence, type, node_id, (${name}) AS node_name, retries, crashes, max_crashes, suspect, started_at FROM ${names.job}${dialect.forceIndex(`${names.job}_claim`)} ` +
      `WHERE service = ? AND state = 'running' AND node_id NOT IN (${alive}) LIMIT ?${dialect.skipLocked}`,
    [service, service, limit],
  );
}

/**
 * A crash is held against a job only when the job had been in one before (`suspect`) and its start was committed before its
 * handler ran: then it was one of the few that can have caused it.
 */
function readOrphan(row: Row): Orphan {
  const startedAt = optionalMoment(row['started_at']);
  const blamed = Number(row['suspect']) > 0 && startedAt !== undefined;
  const crashes = Number(row['crashes']) + (blamed ? 1 : 0);
  return {
    id: Number(row['id']),
    fence: Number(row['fence']),
    type: String(row['type']),
    node: `${String(row['node_name'])}#${String(row['node_id'])}`,
    attempt: Number(row['retries']) + 1,
    crashes,
    startedAt,
    failed: blamed && crashes >= Number(row['max_crashes']),
  };
}

function releaseOrphans({ dialect, names }: QueueTables, orphans: readonly Orphan[], keep: number): Statement {
  const sql = dialect.joinedUpdate({
    table: names.job,
    source: dialect.rows({
      id: 'id',
      fence: 'integer',
      state: 'name',
      crashes: 'integer',
      keep: 'integer',
      error: 'text',
    }),
    set: {
      state: 'v.state',
      fence: 'j.fence + 1',
      node_id: '0',
      started_at: '0',
      suspect: '1',
      crashes: 'v.crashes',
      finished_at: `CASE WHEN v.state = 'failed' THEN ${dialect.now} ELSE 0 END`,
      expires_at: `COALESCE(${dialect.now} + CASE WHEN v.state = 'failed' THEN COALESCE(j.keep_failed, v.keep) END, 0)`,
      past_key: `CASE WHEN ${RELEASES_KEY} THEN j.job_key ELSE j.past_key END`,
      job_key: `CASE WHEN ${RELEASES_KEY} THEN NULL ELSE j.job_key END`,
      last_error: 'COALESCE(v.error, j.last_error)',
    },
    on: "j.id = v.id AND j.fence = v.fence AND j.state = 'running'",
  });
  const rows = orphans.map(({ id, fence, crashes, failed, startedAt }) => ({
    id,
    fence,
    crashes,
    state: failed ? 'failed' : 'waiting',
    keep: failed ? keep : undefined,
    error: startedAt === undefined ? undefined : crashError(crashes, failed),
  }));
  return statement(sql, [JSON.stringify(rows)]);
}

function insertCrashes({ dialect, names, service }: QueueTables, orphans: readonly Orphan[]): Statement {
  const source = dialect.rows({
    id: 'id',
    fence: 'integer',
    attempt: 'integer',
    node: 'name',
    started_at: 'integer',
    outcome: 'name',
    error: 'text',
  });
  const sql =
    `INSERT INTO ${names.attempt} (job_id, fence, service, attempt, node, started_at, ended_at, outcome, reason, error) ` +
    `SELECT v.id, v.fence, ?, v.attempt, v.node, v.started_at, ${dialect.now}, v.outcome, 'crash', v.error FROM ${source} v ` +
    `WHERE v.id IS NOT NULL ${dialect.skipDuplicates('job_id')}`;
  const rows = orphans.map(({ id, fence, attempt, node, startedAt, crashes, failed }) => ({
    id,
    fence,
    attempt,
    node,
    started_at: startedAt,
    outcome: failed ? 'failed' : 'crashed',
    error: crashError(crashes, failed),
  }));
  return statement(sql, [service, JSON.stringify(rows)]);
}

function crashError(crashes: number, failed: boolean): string {
  const message = failed
    ? `The process died with this job for the ${crashes}. time after a first crash (maxCrashes ${crashes}).`
    : 'The process died, or its heartbeat was missing, while this job was running.';
  return JSON.stringify({ name: 'CrashError', message } satisfies RecordedError);
}
