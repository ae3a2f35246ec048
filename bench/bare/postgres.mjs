import { Client } from 'pg';

const NOW = '(extract(epoch FROM statement_timestamp()) * 1000)::bigint';

const REGISTER = `INSERT INTO pq_node (service, name, state, registered_at, beat_at, expires_at, types)
  VALUES ('default', 'bare', 'alive', ${NOW}, ${NOW}, ${NOW} + 3600000, '[]') RETURNING id`;

const CLAIM = `UPDATE pq_job SET state = 'running', fence = fence + 1, node_id = $1, started_at = 0, max_crashes = 3
  WHERE id = ANY(ARRAY(
    SELECT id FROM pq_job
    WHERE service = 'default' AND state = 'waiting' AND type = $2 AND priority = 0 AND due <= ${NOW}
      AND EXISTS (SELECT 1 FROM pq_node n WHERE n.id = $1 AND n.state = 'alive')
    ORDER BY due, id LIMIT $3 FOR UPDATE SKIP LOCKED))
  RETURNING id, fence, type, priority, payload, job_key, reference, trace_id, due, created_at, deadline, retries, crashes, suspect, ${NOW} AS now`;

const ENDED = 'json_to_recordset($1::json) AS v(id bigint, fence bigint)';

const COMPLETE = `UPDATE pq_job AS j
  SET state = 'succeeded', node_id = 0, started_at = 0, finished_at = ${NOW}, result = NULL, expires_at = ${NOW} + 604800000
  FROM ${ENDED} WHERE j.id = v.id AND j.fence = v.fence AND j.state = 'running'`;

const HISTORY = `INSERT INTO pq_attempt (job_id, fence, service, attempt, node, started_at, ended_at, outcome)
  SELECT v.id, v.fence, 'default', 1, 'bare', ${NOW}, ${NOW}, 'succeeded'
  FROM ${ENDED} JOIN pq_job j ON j.id = v.id AND j.fence = v.fence AND j.state = 'succeeded'`;

const INSERT = `INSERT INTO pq_job (service, type, payload)
  SELECT 'default', $1, v.payload FROM json_to_recordset($2::json) AS v(payload text)`;

/** What the library writes, statement by statement, on one connection. */
export async function openBare(url) {
  const connection = new Client(url);
  await connection.connect();
  const insert = (type, payloads) =>
    connection.query({
      name: 'insert',
      text: INSERT,
      values: [type, JSON.stringify(payloads.map((payload) => ({ payload })))],
    });
  return {
    drain: (type, options) => drain(connection, type, options),
    insert,
    insertInTransaction: async (ownRow, type, payload) => {
      await connection.query('BEGIN');
      await connection.query(ownRow);
      await insert(type, [payload]);
      await connection.query('COMMIT');
    },
    close: () => connection.end(),
  };
}

/** Batch after batch, until there is none or `signal` is aborted. `history`: whether attempts are written too. */
async function drain(connection, type, { batch, history, ended, signal }) {
  const node = (await connection.query(REGISTER)).rows[0].id;
  const prepared = (name, text, values) => connection.query({ name, text, values });
  while (!signal.aborted) {
    const { rows: jobs } = await prepared('claim', CLAIM, [node, type, batch]);
    if (jobs.length === 0) return;
    const tokens = JSON.stringify(jobs.map(({ id, fence }) => ({ id, fence })).toSorted((a, b) => a.id - b.id));
    await connection.query('BEGIN');
    await prepared('complete', COMPLETE, [tokens]);
    if (history) await prepared('history', HISTORY, [tokens]);
    await connection.query('COMMIT');
    ended(jobs);
  }
}
