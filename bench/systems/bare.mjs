import { startProducer } from '../support/application.mjs';
import { completedSql, isDoneSql, numberOf, storedSql } from '../support/job-tables.mjs';
import { JOB_TYPE } from '../support/job-type.mjs';

const CONNECTIONS = 2;

/** The library's tables and writes by hand, so that no code of ours is measured: the limit. A batch is as large as the concurrency. */
export async function open(store, { handle, concurrency, history = true }) {
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => store.openBare()));
  const [connection] = connections;
  const write = (payloads) => connection.insert(JOB_TYPE, payloads.map(serialise));
  const stopped = new AbortController();
  let running;
  return {
    prepare: async () => (await startProducer(store)).close(),
    enqueue: merged(connections),
    enqueueMany: write,
    enqueueInTransaction: (row, payload) => connection.insertInTransaction(row, JOB_TYPE, serialise(payload)),
    start: () => {
      const ended = (jobs) => {
        for (const job of jobs) void handle(JSON.parse(job.payload));
      };
      running = connection.drain(JOB_TYPE, { batch: concurrency, history, ended, signal: stopped.signal });
      return running;
    },
    isDone: async () => (await store.query(isDoneSql)).length === 0,
    completed: async () => numberOf(await store.query(completedSql({ history }))),
    stored: async () => numberOf(await store.query(storedSql)),
    close: async () => {
      stopped.abort();
      await running;
      for (const each of connections) await each.close();
    },
  };
}

/** What callers hand in while the connections are busy goes out together. */
function merged(connections) {
  const idle = [...connections];
  let waiting = [];
  const flush = async () => {
    if (idle.length === 0 || waiting.length === 0) return;
    const connection = idle.pop();
    const batch = waiting;
    waiting = [];
    await connection
      .insert(
        JOB_TYPE,
        batch.map(({ payload }) => serialise(payload)),
      )
      .then(
        () => batch.forEach(({ resolve }) => resolve()),
        (error) => batch.forEach(({ reject }) => reject(error)),
      );
    idle.push(connection);
    void flush();
  };
  return (payload) =>
    new Promise((resolve, reject) => {
      waiting.push({ payload, resolve, reject });
      // Those of the same tick go together.
      if (waiting.length === 1) setImmediate(() => void flush());
    });
}

function serialise(payload) {
  return JSON.stringify(payload);
}
