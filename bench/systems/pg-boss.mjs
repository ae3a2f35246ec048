import { Client } from 'pg';
import { PgBoss } from 'pg-boss';
import { numberOf } from '../support/job-tables.mjs';

const QUEUE = 'bench';
const COUNT = `SELECT COUNT(*) AS count FROM pgboss.job WHERE name = '${QUEUE}'`;
const FIRST_OPEN = `SELECT id FROM pgboss.job WHERE name = '${QUEUE}' AND state < 'completed' LIMIT 1`;

/** `batchSize` and `notify`: at its fastest; then it must also be told not to wait between full batches. */
export async function open(store, { handle, concurrency, batchSize, notify = false }) {
  const { url } = store.options;
  const boss = new PgBoss({ connectionString: url, useListenNotify: notify });
  boss.on('error', (error) => console.error(error));
  await boss.start();
  await boss.createQueue(QUEUE, notify ? { notify } : {});
  const client = new Client(url);
  await client.connect();
  const db = { executeSql: (sql, values) => client.query(sql, values) };
  const work = batchSize === undefined ? { localConcurrency: concurrency } : { batchSize, burstWhenBatchFull: true };
  return {
    prepare: async () => undefined,
    enqueue: (data) => boss.send(QUEUE, data),
    enqueueMany: (payloads) =>
      boss.insert(
        QUEUE,
        payloads.map((data) => ({ data })),
      ),
    enqueueInTransaction: async (row, data) => {
      await client.query('BEGIN');
      await client.query(row);
      await boss.send(QUEUE, data, { db });
      await client.query('COMMIT');
    },
    start: () =>
      boss.work(QUEUE, work, (jobs) => Promise.all(jobs.map(({ data }) => handle(data))).then(() => undefined)),
    isDone: async () => (await store.query(FIRST_OPEN)).length === 0,
    completed: async () => numberOf(await store.query(`${COUNT} AND state = 'completed'`)),
    stored: async () => numberOf(await store.query(COUNT)),
    close: async () => {
      await boss.stop({ graceful: true, timeout: 5_000 });
      await client.end();
    },
  };
}
