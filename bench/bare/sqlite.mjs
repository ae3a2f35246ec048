import Sqlite from 'better-sqlite3';

const NOW = "CAST(ROUND(unixepoch('subsec') * 1000) AS INTEGER)";

const REGISTER = `INSERT INTO pq_node (service, name, state, registered_at, beat_at, expires_at, types)
  VALUES ('default', 'bare', 'alive', ${NOW}, ${NOW}, ${NOW} + 3600000, '[]')`;

const PICK = `SELECT id, fence, type, priority, payload, job_key, reference, trace_id, due, created_at, deadline, retries, crashes, suspect,
    ${NOW} AS now
  FROM pq_job
  WHERE service = 'default' AND state = 'waiting' AND type = ? AND priority = 0 AND due <= ${NOW}
    AND EXISTS (SELECT 1 FROM pq_node n WHERE n.id = ? AND n.state = 'alive')
  ORDER BY due, id LIMIT ?`;

const ROWS = "(SELECT value ->> 'id' AS id, value ->> 'fence' AS fence FROM json_each(?))";

const CLAIM = `UPDATE pq_job AS j SET state = 'running', fence = j.fence + 1, node_id = ?, started_at = 0, max_crashes = 3
  FROM ${ROWS} AS v WHERE j.id = v.id`;

const COMPLETE = `UPDATE pq_job AS j
  SET state = 'succeeded', node_id = 0, started_at = 0, finished_at = ${NOW}, result = NULL, expires_at = ${NOW} + 604800000
  FROM ${ROWS} AS v WHERE j.id = v.id AND j.fence = v.fence AND j.state = 'running'`;

const HISTORY = `INSERT INTO pq_attempt (job_id, fence, service, attempt, node, started_at, ended_at, outcome)
  SELECT v.id, v.fence, 'default', 1, 'bare', ${NOW}, ${NOW}, 'succeeded'
  FROM ${ROWS} v JOIN pq_job j ON j.id = v.id AND j.fence = v.fence AND j.state = 'succeeded'`;

const INSERT = "INSERT INTO pq_job (service, type, payload) VALUES ('default', ?, ?)";

/** What the library writes, statement by statement, on one connection. */
export function openBare(file) {
  const connection = new Sqlite(file);
  connection.pragma('synchronous = FULL');
  return {
    drain: (type, options) => drain(connection, type, options),
    insert: async (type, payloads) => insert(connection, type, payloads),
    insertInTransaction: async (ownRow, type, payload) => {
      connection.exec('BEGIN IMMEDIATE');
      connection.prepare(ownRow).run();
      connection.prepare(INSERT).run(type, payload);
      connection.exec('COMMIT');
    },
    close: async () => connection.close(),
  };
}

function insert(connection, type, payloads) {
  const statement = connection.prepare(INSERT);
  connection.transaction(() => {
    for (const payload of payloads) statement.run(type, payload);
  })();
}

/** Batch after batch, until there is none or `signal` is aborted. `history`: whether attempts are written too. */
async function drain(connection, type, { batch, history, ended, signal }) {
  const node = connection.prepare(REGISTER).run().lastInsertRowid;
  const [pick, claim, complete, record] = [PICK, CLAIM, COMPLETE, HISTORY].map((sql) => connection.prepare(sql));
  const takeBatch = connection.transaction(() => {
    const jobs = pick.all(type, node, batch);
    claim.run(node, json(jobs, 0));
    return jobs;
  });
  const endBatch = connection.transaction((jobs) => {
    complete.run(json(jobs, 1));
    if (history) record.run(json(jobs, 1));
  });
  while (!signal.aborted) {
    const jobs = takeBatch.immediate();
    if (jobs.length === 0) return;
    endBatch.immediate(jobs);
    ended(jobs);
    // Nothing here waits: the process would answer to nobody until the end.
    await new Promise(setImmediate);
  }
}

function json(jobs, raise) {
  return JSON.stringify(jobs.map(({ id, fence }) => ({ id, fence: fence + raise })).toSorted((a, b) => a.id - b.id));
}
