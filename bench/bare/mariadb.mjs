import mysql from 'mysql2/promise';

const NOW = "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)";

const REGISTER = `INSERT INTO pq_node (service, name, state, registered_at, beat_at, expires_at, types)
  VALUES ('default', 'bare', 'alive', ${NOW}, ${NOW}, ${NOW} + 3600000, '[]')`;

const PICK = `SELECT id, fence, type, priority, payload, job_key, reference, trace_id, due, created_at, deadline, retries, crashes, suspect,
    ${NOW} AS now
  FROM pq_job FORCE INDEX (pq_job_claim)
  WHERE service = 'default' AND state = 'waiting' AND type = ? AND priority = 0 AND due >= ? AND due <= ${NOW}
    AND EXISTS (SELECT 1 FROM pq_node n WHERE n.id = ? AND n.state = 'alive')
  ORDER BY due, id LIMIT ? FOR UPDATE SKIP LOCKED`;

const CLAIM = `UPDATE pq_job j JOIN JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$.id', node BIGINT PATH '$.node')) v ON j.id = v.id
  SET j.state = 'running', j.fence = j.fence + 1, j.node_id = v.node, j.started_at = 0, j.max_crashes = 3`;

const ENDED = `JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$.id', fence BIGINT PATH '$.fence')) v`;

const COMPLETE = `UPDATE pq_job j JOIN ${ENDED} ON j.id = v.id AND j.fence = v.fence AND j.state = 'running'
  SET j.state = 'succeeded', j.node_id = 0, j.started_at = 0, j.finished_at = ${NOW}, j.result = NULL, j.expires_at = ${NOW} + 604800000`;

const HISTORY = `INSERT INTO pq_attempt (job_id, fence, service, attempt, node, started_at, ended_at, outcome)
  SELECT v.id, v.fence, 'default', 1, 'bare', ${NOW}, ${NOW}, 'succeeded'
  FROM ${ENDED} JOIN pq_job j ON j.id = v.id AND j.fence = v.fence AND j.state = 'succeeded'`;

const INSERT = "INSERT INTO pq_job (service, type, payload) VALUES ('default', ?, ?)";
const MOST_ROWS = 500;

/** What the library writes, statement by statement, on one connection. */
export async function openBare(url) {
  const connection = await mysql.createConnection(url);
  await connection.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
  return {
    drain: (type, options) => drain(connection, type, options),
    insert: async (type, payloads) => {
      for (let first = 0; first < payloads.length; first += MOST_ROWS) {
        const rows = payloads.slice(first, first + MOST_ROWS);
        const more = ", ('default', ?, ?)".repeat(rows.length - 1);
        await connection.query(
          INSERT + more,
          rows.flatMap((payload) => [type, payload]),
        );
      }
    },
    insertInTransaction: async (ownRow, type, payload) => {
      await connection.query('START TRANSACTION');
      await connection.query(ownRow);
      await connection.query(INSERT, [type, payload]);
      await connection.query('COMMIT');
    },
    close: () => connection.end(),
  };
}

/** Batch after batch, until there is none or `signal` is aborted. `history`: whether attempts are written too. */
async function drain(connection, type, { batch, history, ended, signal }) {
  const [{ insertId: node }] = await connection.query(REGISTER);
  // Where the last claim ended: what lies before has been claimed, and its index entries are waiting to be purged.
  let mark = 0;
  while (!signal.aborted) {
    await connection.query('START TRANSACTION');
    const [jobs] = await connection.query(PICK, [type, mark, node, batch]);
    if (jobs.length > 0) await connection.query(CLAIM, [json(jobs, ({ id }) => ({ id, node }))]);
    await connection.query('COMMIT');
    if (jobs.length === 0) return;
    mark = jobs.at(-1).due;
    const tokens = json(jobs, ({ id, fence }) => ({ id, fence: fence + 1 }));
    await connection.query('START TRANSACTION');
    await connection.query(COMPLETE, [tokens]);
    if (history) await connection.query(HISTORY, [tokens]);
    await connection.query('COMMIT');
    ended(jobs);
  }
}

function json(jobs, row) {
  return JSON.stringify(jobs.map(row).toSorted((a, b) => a.id - b.id));
}
