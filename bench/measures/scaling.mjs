import { JOB_TYPE } from '../support/job-type.mjs';
import { measureBusy } from '../support/measure-busy.mjs';
import { measureCalm } from '../support/measure-calm.mjs';
import { measureLooks } from '../support/measure-looks.mjs';
import { preload } from '../support/preload.mjs';
import { CONCURRENCY, CROWDS, idealOf, MILLISECONDS, TRICKLE, TYPES } from '../support/scaling-cells.mjs';

export { scalingTables as tables } from '../report/scaling-tables.mjs';
export { cells } from '../support/scaling-cells.mjs';

const RUN = { noop: runBusy, sleep: runBusy, calm: runCalm, looks: runLooks };

/** What one server carries, and what of that grows with the processes and with the types. */
export function run(cell) {
  return RUN[cell.kind](cell);
}

async function runBusy({ kind, processes, sizes, store, producer, workers }) {
  const handler = kind === 'noop' ? { kind: 'no-op' } : { kind: 'sleep', milliseconds: MILLISECONDS };
  // More than can end in time.
  const most = kind === 'noop' ? Infinity : idealOf({ processes }) * (2 * sizes.seconds + 2);
  const jobs = Math.min(sizes.drainJobs, most);
  await preload(producer, jobs);
  await workers.open(processes, { concurrency: CONCURRENCY, handler });
  return measureBusy({ store, producer, workers, jobs, warmUp: sizes.warmUpJobs, seconds: sizes.seconds });
}

async function runCalm({ processes, types, every, sizes, store, producer, workers }) {
  const others = Array.from({ length: types - 1 }, (_, index) => `bench.type${index}`);
  const options = { types: [JOB_TYPE, ...others], poll: { min: every } };
  await workers.open(processes, { options, concurrency: CONCURRENCY });
  return measureCalm({ store, producer, workers, rate: TRICKLE, sizes });
}

function runLooks({ sizes, store, producer }) {
  return measureLooks({ store, producer, types: TYPES, crowds: CROWDS, seconds: sizes.lookSeconds });
}
