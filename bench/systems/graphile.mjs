import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import { Client } from 'pg';
import { numberOf } from '../support/job-tables.mjs';

const TASK = 'bench';
const JOBS = 'graphile_worker._private_jobs';
const SEQUENCE = `pg_get_serial_sequence('${JOBS}', 'id')::regclass`;
/** It deletes what has succeeded, and keeps what has failed. */
const COMPLETED = `SELECT COALESCE(pg_sequence_last_value(${SEQUENCE}), 0) - (SELECT COUNT(*) FROM ${JOBS}) AS count`;

const logger = new Logger(() => (level, message) => void (level === 'error' && console.error(message)));

/** `localQueue` and `completionDelay`: how many jobs it takes at once, and how long it collects those that have ended. */
export async function open(store, { handle, concurrency, localQueue, completionDelay }) {
  const connectionString = store.options.url;
  const utils = await makeWorkerUtils({ connectionString, logger });
  const client = new Client(connectionString);
  await client.connect();
  const batching =
    localQueue === undefined
      ? {}
      : {
          localQueue: { size: Math.max(localQueue, concurrency) },
          completeJobBatchDelay: completionDelay,
          failJobBatchDelay: completionDelay,
        };
  let runner;
  return {
    prepare: () => utils.migrate(),
    enqueue: (payload) => utils.addJob(TASK, payload),
    enqueueMany: (payloads) => utils.addJobs(payloads.map((payload) => ({ identifier: TASK, payload }))),
    enqueueInTransaction: async (row, payload) => {
      await client.query('BEGIN');
      await client.query(row);
      await client.query('SELECT graphile_worker.add_job($1, $2::json)', [TASK, JSON.stringify(payload)]);
      await client.query('COMMIT');
    },
    start: async () => {
      runner = await run({
        connectionString,
        logger,
        noHandleSignals: true,
        taskList: { [TASK]: (payload) => handle(payload) },
        preset: { worker: { concurrentJobs: concurrency, ...batching } },
      });
    },
    isDone: async () => (await store.query(`SELECT id FROM ${JOBS} LIMIT 1`)).length === 0,
    completed: async () => numberOf(await store.query(COMPLETED)),
    stored: async () => numberOf(await store.query(`SELECT COUNT(*) AS count FROM ${JOBS}`)),
    close: async () => {
      await runner?.stop();
      await utils.release();
      await client.end();
    },
  };
}
