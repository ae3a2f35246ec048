import { once, EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { PersistentQueue } from 'nestjs-persistent-queue';
import { enqueueJobs, JOB_TYPE, startApplication, startProducer } from './application.mjs';
import { waitForQuiet } from './quiet.mjs';

/** Jobs per second of the library, from its start to the last committed completion. */
export async function drainByLibrary(store, count, options = {}) {
  const handled = new EventEmitter();
  let left = count;
  const handle = () => void (--left === 0 && handled.emit('all'));
  const application = await startApplication(store, { handle, autoStart: false, ...options });
  try {
    await enqueueJobs(application, count);
    const before = await attempts(store);
    await waitForQuiet();
    const started = performance.now();
    const all = once(handled, 'all');
    await application.get(PersistentQueue).start();
    await all;
    while (await someAreRunning(store)) await sleep(1);
    const seconds = (performance.now() - started) / 1_000;
    await expectAttempts(store, before + count);
    return count / seconds;
  } finally {
    await application.close();
  }
}

/** Jobs per second of the same writes in a bare SQL loop. */
export async function drainBare(store, count) {
  const application = await startProducer(store);
  await enqueueJobs(application, count);
  await application.close();
  const before = await attempts(store);
  await waitForQuiet();
  const started = performance.now();
  await store.drainBare(JOB_TYPE);
  const seconds = (performance.now() - started) / 1_000;
  await expectAttempts(store, before + count);
  return count / seconds;
}

/** Handled, and not yet written down. */
async function someAreRunning(store) {
  const sql = "SELECT id FROM pq_job WHERE service = 'default' AND state = 'running' LIMIT 1";
  return (await store.query(sql)).length > 0;
}

/** Those that were inserted as expired ended in 1970, and may be pruned meanwhile. */
async function attempts(store) {
  const [{ count }] = await store.query('SELECT COUNT(*) AS count FROM pq_attempt WHERE ended_at > 1000000000000');
  return Number(count);
}

/** A figure for work that was not done would be worse than none. */
async function expectAttempts(store, expected) {
  const found = await attempts(store);
  if (found !== expected) throw new Error(`${expected} attempts should be in the history, ${found} are.`);
}
