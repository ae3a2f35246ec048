import { setTimeout as sleep } from 'node:timers/promises';
import { JobQueue } from 'nestjs-persistent-queue';
import { JOB_TYPE, payload, startApplication } from '../support/application.mjs';
import { waitForQuiet } from '../support/quiet.mjs';
import { milliseconds, percentile } from '../support/statistics.mjs';

const WARM_UP_JOBS = 20;

/** From the call of `enqueue()` to the call of the handler, in the same process and otherwise at rest. */
export default async function latency(database, { latencyJobs, latencyPause }) {
  const store = await database.create();
  const startedAt = new Map();
  const application = await startApplication(store, {
    handle: ({ orderId }) => void startedAt.set(orderId, performance.now()),
  });
  const queue = application.get(JobQueue);
  const calls = [];
  await waitForQuiet();
  for (let orderId = -WARM_UP_JOBS; orderId < latencyJobs; orderId++) {
    const called = performance.now();
    await queue.enqueue(JOB_TYPE, payload(orderId));
    calls.push({ orderId, called, stored: performance.now() });
    await sleep(latencyPause);
  }
  await application.close();
  await store.drop();
  const measured = calls.slice(WARM_UP_JOBS);
  return {
    title: `Latency: ${latencyJobs} jobs, one per ${latencyPause} ms`,
    rows: [
      {
        from: 'enqueue()',
        to: 'handler starts',
        ...percentiles(measured.map(({ orderId, called }) => startedAt.get(orderId) - called)),
      },
      {
        from: 'enqueue()',
        to: 'enqueue() resolves',
        ...percentiles(measured.map(({ called, stored }) => stored - called)),
      },
    ],
  };
}

function percentiles(values) {
  return Object.fromEntries([50, 95, 99].map((percent) => [`p${percent}`, milliseconds(percentile(values, percent))]));
}
