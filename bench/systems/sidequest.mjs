import { Sidequest } from 'sidequest';
import { numberOf } from '../support/job-tables.mjs';
import { BenchJob } from './sidequest-job.mjs';

const QUEUE = 'default';
const COUNT = 'SELECT COUNT(*) AS count FROM sidequest_jobs';
const FIRST_OPEN = "SELECT id FROM sidequest_jobs WHERE state IN ('waiting', 'claimed', 'running') LIMIT 1";
/** It has no bulk insert: so many callers at once are the fastest. */
const CALLERS = 10;
/** Of the queue; a process has its own limit. */
const MOST = 100;

/** In this process instead of threads, which is faster for handlers without work. */
export async function open(store, { handle, concurrency }) {
  if (handle) BenchJob.handle = handle;
  const config = configOf(store, concurrency);
  // What start() is given is ignored once it has been configured.
  await Sidequest.configure(config);
  const enqueue = (payload) => Sidequest.build(BenchJob).enqueue(payload);
  return {
    // Processes that start together would each make the queue, and all but one fail.
    prepare: () =>
      store.query(
        `INSERT INTO sidequest_queues (name, concurrency, priority, state) VALUES ('${QUEUE}', ${MOST}, 0, 'active')`,
      ),
    enqueue,
    enqueueMany: async (payloads) => {
      const left = [...payloads];
      const call = async () => {
        for (let payload = left.pop(); payload !== undefined; payload = left.pop()) await enqueue(payload);
      };
      await Promise.all(Array.from({ length: CALLERS }, call));
    },
    start: () => Sidequest.start(config),
    isDone: async () => (await store.query(FIRST_OPEN)).length === 0,
    completed: async () => numberOf(await store.query(`${COUNT} WHERE state = 'completed'`)),
    stored: async () => numberOf(await store.query(COUNT)),
    close: () => Sidequest.stop(),
  };
}

function configOf(store, concurrency = 1) {
  return {
    backend: { driver: '@sidequest/mysql-backend', config: store.options.url },
    fork: false,
    runner: 'inline',
    maxConcurrentJobs: concurrency,
    queues: [{ name: QUEUE, concurrency: MOST }],
    dashboard: { enabled: false },
    logger: { level: 'error' },
    gracefulShutdown: false,
  };
}
