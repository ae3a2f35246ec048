import { JobQueue } from 'nestjs-persistent-queue';
import { startProducer } from '../support/application.mjs';
import { startProbe } from '../support/lock-probe.mjs';
import { insertEnded } from '../support/rows.mjs';
import { milliseconds, percentile, perSecond } from '../support/statistics.mjs';

const FAILED = 50_000;

/** Retries 50,000 failed jobs among many others by filter, while somebody else keeps writing to the same rows. */
export default async function retry(database, { waitingRows }) {
  const store = await database.create();
  const application = await startProducer(store);
  try {
    const others = waitingRows / 10;
    await insertEnded(store, others, { type: 'bench.other', state: 'succeeded' });
    await insertEnded(store, FAILED, { type: 'bench.failed', state: 'failed' });
    await insertEnded(store, others, { type: 'bench.other', state: 'succeeded' });
    const measured = await measure(store, application.get(JobQueue));
    return {
      title: `Retry by filter: ${FAILED.toLocaleString('en')} failed jobs among ${(2 * others).toLocaleString('en')} others`,
      rows: [measured],
    };
  } finally {
    await application.close();
    await store.drop();
  }
}

async function measure(store, queue) {
  const [rows] = await store.query("SELECT MIN(id) AS first, MAX(id) AS last FROM pq_job WHERE type = 'bench.failed'");
  let progress = 0;
  const subscription = queue.events$.subscribe((event) => void (event.name === 'retry.progress' && progress++));
  let peak = 0;
  const sampler = setInterval(() => (peak = Math.max(peak, process.memoryUsage().heapUsed)), 5);
  const probe = await startProbe(store, rows);
  const heap = process.memoryUsage().heapUsed;
  const began = performance.now();
  const retried = await queue.retry({ state: 'failed' });
  const seconds = (performance.now() - began) / 1_000;
  const waits = await probe.stop();
  clearInterval(sampler);
  subscription.unsubscribe();
  if (retried < FAILED * 0.99) throw new Error(`Only ${retried} of ${FAILED} jobs were retried.`);
  return {
    'jobs/s': perSecond(retried / seconds),
    'progress events': progress,
    'heap grew by': `${((peak - heap) / 2 ** 20).toFixed(1)} MiB`,
    "another writer's waits": waits.length,
    p50: milliseconds(percentile(waits, 50)),
    p99: milliseconds(percentile(waits, 99)),
    longest: milliseconds(Math.max(...waits)),
  };
}
