import { setTimeout as sleep } from 'node:timers/promises';
import { waitForQuiet } from './quiet.mjs';

const LOOK = 2;

/**
 * Jobs per second, from the start of the workers until `jobs` have ended, or until time is up. What counts is what the store
 * says has ended: a figure for work that was not done would be worse than none.
 *
 * @param rest whether more jobs are waiting than these
 */
export async function measureDrain({ producer, workers, jobs, seconds, rest = false }) {
  const before = await producer.completed();
  await waitForQuiet();
  const began = performance.now();
  workers.start();
  const inTime = await workers.handled(jobs, seconds * 1_000);
  if (inTime && !rest) while (!(await producer.isDone())) await sleep(LOOK);
  const elapsed = (performance.now() - began) / 1_000;
  const completed = (await producer.completed()) - before;
  const reports = await workers.stop();
  const handled = reports.reduce((sum, report) => sum + report.handled, 0);
  check({ jobs, inTime: inTime && !rest, completed, handled });
  return { rate: completed / elapsed, completed, elapsed, reports };
}

function check({ jobs, inTime, completed, handled }) {
  if (inTime && completed !== jobs) throw new Error(`${jobs} jobs should have ended, the store knows of ${completed}.`);
  if (handled < completed) throw new Error(`${completed} jobs have ended, but only ${handled} were handled.`);
}
