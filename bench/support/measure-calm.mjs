import { setTimeout as sleep } from 'node:timers/promises';
import { payload } from './payload.mjs';
import { watchLoad } from './server-load.mjs';

/** A few at a time: a timer of a millisecond is not met by a busy machine. */
const PER_TICK = 4;
const PATIENCE = 10_000;

/** What running workers ask of the server while there is nothing to do, and while jobs come one by one, `rate` of them per second. */
export async function measureCalm({ store, producer, workers, rate, sizes }) {
  workers.start();
  // Until they look as seldom as they do at rest; and it must be over before they do what they do once a minute, first after 15 s.
  await sleep(sizes.warmUpSeconds * 1_000);
  const idle = await during(store, workers, () => sleep(sizes.calmSeconds * 1_000));
  let enqueued = await trickle(producer, rate, sizes.seconds / 2);
  const fed = await during(store, workers, async () => (enqueued += await trickle(producer, rate, sizes.seconds)));
  if (!(await workers.handled(enqueued, PATIENCE))) throw new Error(`Not all of ${enqueued} jobs have been handled.`);
  await workers.stop();
  return Object.fromEntries([...named('idle', idle), ...named('fed', fed)]);
}

async function during(store, workers, work) {
  const stopWatching = await watchLoad(store, workers);
  await work();
  return stopWatching();
}

/** Each in a commit of its own, as requests enqueue them. Answers how many. */
async function trickle({ enqueue }, rate, seconds) {
  const count = Math.ceil((rate * seconds) / PER_TICK) * PER_TICK;
  const began = performance.now();
  for (let done = 0; done < count; done += PER_TICK) {
    await sleep(began + (done / rate) * 1_000 - performance.now());
    for (let number = done; number < done + PER_TICK; number++) await enqueue(payload(number));
  }
  return count;
}

function named(prefix, load) {
  return Object.entries(load).map(([name, value]) => [`${prefix} ${name}`, value]);
}
