import { JOB_TYPE } from './job-type.mjs';
import { payload } from './payload.mjs';

const STATEMENTS = 10;
/** In half a century. */
const LATER = '3400000000000';

export const insertWaiting = (store, count, type = JOB_TYPE) =>
  insert(store, count, { type, state: 'waiting', due: '1000', body: JSON.stringify(payload(0)) });

/** Jobs of the measured type that would go first, if they were due. */
export const insertFuture = (store, count) =>
  insert(store, count, { type: JOB_TYPE, state: 'scheduled', due: LATER, priority: 9 });

/** Jobs that have failed or succeeded and are kept for good. */
export const insertEnded = (store, count, { type, state }) => insert(store, count, { type, state, due: '1000' });

/** Jobs that have succeeded, each with an attempt in the history: to be kept for long, or past their retention. */
export async function insertRetained(store, count, { expired }) {
  const type = 'bench.retained';
  const time = expired ? '1000 + id' : LATER;
  await insert(store, count, { type, state: 'succeeded', due: '1000' });
  const [{ last }] = await store.query('SELECT MAX(id) AS last FROM pq_job');
  for (let id = 0; id < Number(last); id += count / STATEMENTS) {
    const range = `id > ${id} AND id <= ${id + count / STATEMENTS} AND type = '${type}'`;
    await store.query(
      'INSERT INTO pq_attempt (job_id, fence, service, attempt, node, started_at, ended_at, outcome) ' +
        `SELECT id, 1, service, 1, 'bench', 1000, ${time}, 'succeeded' FROM pq_job WHERE ${range}`,
    );
    await store.query(`UPDATE pq_job SET expires_at = ${time}, finished_at = 1000 WHERE ${range}`);
  }
  await store.vacuum();
}

/** So many nodes that live for ever, and jobs that they run. */
export async function insertLivingNodes(store, nodes, running) {
  const type = 'bench.held';
  const rows = Array.from({ length: nodes }, () => `('default', 'bench', 'alive', 1000, 1000, ${LATER}, '[]')`);
  await store.query(
    `INSERT INTO pq_node (service, name, state, registered_at, beat_at, expires_at, types) VALUES ${rows.join(', ')}`,
  );
  const [{ last }] = await store.query('SELECT MAX(id) AS last FROM pq_node');
  await insertWaiting(store, running, type);
  await store.query(
    `UPDATE pq_job SET state = 'running', fence = 1, node_id = ${last} - MOD(id, ${nodes}) WHERE type = '${type}' AND state = 'waiting'`,
  );
  await store.vacuum();
}

/** Plain SQL is a producer. The same on every database: five tables of ten digits make 100,000 rows. As jobs come, in the order of their time. */
async function insert(store, count, { type, state, due, priority = 0, body = '{}' }) {
  const digits = `(${Array.from({ length: 10 }, (_, digit) => `SELECT ${digit} AS digit`).join(' UNION ALL ')})`;
  const number = 'a.digit + 10 * b.digit + 100 * c.digit + 1000 * d.digit + 10000 * e.digit';
  const perStatement = count / STATEMENTS;
  for (let index = 0; index < STATEMENTS; index++) {
    await store.query(
      `INSERT INTO pq_job (service, type, state, priority, due, payload) ` +
        `SELECT 'default', '${type}', '${state}', ${priority}, ${due} + ${index * perStatement} + ${number}, '${body}' ` +
        `FROM ${digits} a, ${digits} b, ${digits} c, ${digits} d, ${digits} e WHERE ${number} < ${perStatement} ORDER BY ${number}`,
    );
  }
  await store.vacuum();
}
