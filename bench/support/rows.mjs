const STATEMENTS = 10;

/** A million waiting jobs of a type that nobody here handles. */
export function insertUnhandled(store, count) {
  return insert(store, count, { type: 'bench.unhandled', state: 'waiting', due: '1000' });
}

/** A million jobs of the measured type that will be due in half a century, one millisecond after the other. */
export function insertFuture(store, count, type) {
  return insert(store, count, { type, state: 'scheduled', due: '3400000000000' });
}

/** Jobs that have ended and are kept. */
export function insertEnded(store, count, { type, state }) {
  return insert(store, count, { type, state, due: '1000' });
}

/** A million jobs that have succeeded and whose retention has passed, each with an attempt in the history. */
export async function insertExpired(store, count) {
  await insert(store, count, { type: 'bench.expired', state: 'succeeded', due: '1000' });
  const [{ last }] = await store.query('SELECT MAX(id) AS last FROM pq_job');
  for (let id = 0; id < Number(last); id += count / STATEMENTS) {
    const range = `id > ${id} AND id <= ${id + count / STATEMENTS} AND type = 'bench.expired'`;
    await store.query(
      'INSERT INTO pq_attempt (job_id, fence, service, attempt, node, started_at, ended_at, outcome) ' +
        `SELECT id, 1, service, 1, 'bench', 1000, 1000 + id, 'succeeded' FROM pq_job WHERE ${range}`,
    );
    await store.query(`UPDATE pq_job SET expires_at = 1000 + id, finished_at = 1000 WHERE ${range}`);
  }
  await store.vacuum();
}

/** Plain SQL is a producer. The same on every database: five tables of ten digits make 100,000 rows. */
async function insert(store, count, { type, state, due }) {
  const digits = `(${Array.from({ length: 10 }, (_, digit) => `SELECT ${digit} AS digit`).join(' UNION ALL ')})`;
  const number = 'a.digit + 10 * b.digit + 100 * c.digit + 1000 * d.digit + 10000 * e.digit';
  const perStatement = count / STATEMENTS;
  for (let index = 0; index < STATEMENTS; index++) {
    await store.query(
      `INSERT INTO pq_job (service, type, state, due, payload) ` +
        `SELECT 'default', '${type}', '${state}', ${due} + ${index * perStatement} + ${number}, '{}' ` +
        `FROM ${digits} a, ${digits} b, ${digits} c, ${digits} d, ${digits} e WHERE ${number} < ${perStatement}`,
    );
  }
  await store.vacuum();
}
