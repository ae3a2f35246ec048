import { JobQueue } from '../support/library.mjs';
import { startProbe } from '../support/lock-probe.mjs';
import { insertEnded } from '../support/rows.mjs';
import { mebibytes, milliseconds, percentile, perSecond } from '../report/statistics.mjs';
import { nameOf } from '../report/tables.mjs';

const VARIANT = 'retry';
const FAILED = 'bench.failed';

export function cells() {
  return [{ system: 'ours', variant: VARIANT, rounds: 1 }];
}

/** Retries failed jobs among four times as many others by filter, while somebody else keeps writing to the same rows. */
export async function run({ sizes, store, producer }) {
  const failed = sizes.retriedJobs;
  await insertEnded(store, 2 * failed, { type: 'bench.other', state: 'succeeded' });
  await insertEnded(store, failed, { type: FAILED, state: 'failed' });
  await insertEnded(store, 2 * failed, { type: 'bench.other', state: 'succeeded' });
  const [rows] = await store.query(`SELECT MIN(id) AS first, MAX(id) AS last FROM pq_job WHERE type = '${FAILED}'`);
  let heap = process.memoryUsage().heapUsed;
  const before = heap;
  const sampler = setInterval(() => (heap = Math.max(heap, process.memoryUsage().heapUsed)), 5);
  const probe = await startProbe(store, rows);
  const began = performance.now();
  const retried = await producer.application.get(JobQueue).retry({ state: 'failed' });
  const seconds = (performance.now() - began) / 1_000;
  const waits = await probe.stop();
  clearInterval(sampler);
  // A row that the probe has just locked may be left out.
  if (retried < failed * 0.99) throw new Error(`Only ${retried} of ${failed} jobs were retried.`);
  const wait = waits.length === 0 ? {} : { p50: percentile(waits, 50), p99: percentile(waits, 99) };
  return { rate: retried / seconds, heap: heap - before, ...wait };
}

export function tables(results) {
  const rows = results.systems('retry').map((at) => {
    const read = (figure, format) => {
      const value = results.median({ measure: 'retry', variant: VARIANT, ...at, figure });
      return value === undefined ? '' : format(value);
    };
    return {
      ...nameOf(at),
      'jobs/s': read('rate', perSecond),
      'heap grew by': read('heap', mebibytes),
      "another writer's wait, p50": read('p50', milliseconds),
      p99: read('p99', milliseconds),
    };
  });
  const note = 'SQLite’s waits are not seen here: the writer is in the same process.';
  return [{ title: 'Retry by filter: 50,000 failed jobs among 200,000 others', rows, note }];
}
