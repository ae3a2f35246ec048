import { setTimeout as sleep } from 'node:timers/promises';
import { waitForQuiet } from './quiet.mjs';
import { watchLoad } from './server-load.mjs';

const LOOK = 1;
const PATIENCE = 20_000;

/**
 * Jobs per second of workers that are all at work, and what they ask of the server: counted from when each of them has handled
 * `warmUp` jobs, because many processes take long to start and to be compiled. What had been handled by then does not count, whether
 * the store knew of it or not.
 */
export async function measureBusy({ store, producer, workers, jobs, warmUp, seconds }) {
  await waitForQuiet();
  workers.start();
  await untilAllHave(warmUp, jobs, workers);
  const stopWatching = await watchLoad(store, workers);
  const before = sum(workers.tally);
  const isDrained = await workers.handled(jobs, seconds * 1_000);
  if (isDrained) while (!(await producer.isDone())) await sleep(LOOK);
  const load = await stopWatching();
  const completed = await producer.completed();
  const handled = sum((await workers.stop()).map((report) => report.handled));
  check({ jobs, isDrained, completed, handled });
  return { ...load, rate: (completed - before) / load.seconds, jobs: completed - before };
}

/** Not for longer than a third of the jobs last: a worker that gets none shows in the figures. */
async function untilAllHave(warmUp, jobs, workers) {
  const giveUpAt = performance.now() + PATIENCE;
  const areWarm = () => Math.min(...workers.tally) >= warmUp || sum(workers.tally) >= jobs / 3;
  while (!areWarm() && performance.now() < giveUpAt) await sleep(LOOK);
}

function check({ jobs, isDrained, completed, handled }) {
  if (isDrained && completed !== jobs)
    throw new Error(`${jobs} jobs should have ended, the store knows of ${completed}.`);
  if (handled < completed) throw new Error(`${completed} jobs have ended, but only ${handled} were handled.`);
}

function sum(numbers) {
  return numbers.reduce((all, number) => all + number, 0);
}
