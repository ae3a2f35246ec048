import { measureDrain } from '../support/measure-drain.mjs';
import { JobQueue } from '../support/library.mjs';
import { JOB_TYPE } from '../support/job-type.mjs';
import { preload } from '../support/preload.mjs';
import { insertFuture, insertRetained, insertWaiting } from '../support/rows.mjs';
import { perSecond, spread } from '../report/statistics.mjs';
import { nameOf } from '../report/tables.mjs';

const PAUSED = 'bench.paused';

/** What the measured jobs are drained beside. Waiting ones are counted without those. */
const CROWDS = {
  '10 k waiting': async () => undefined,
  '100 k waiting': ({ store, sizes }) => insertWaiting(store, sizes.crowd / 10 - sizes.crowdedJobs),
  '1 M waiting': ({ store, sizes }) => insertWaiting(store, sizes.crowd - sizes.crowdedJobs),
  '1 M future, better priority': ({ store, sizes }) => insertFuture(store, sizes.crowd),
  '1 M unhandled': ({ store, sizes }) => insertWaiting(store, sizes.crowd, 'bench.unhandled'),
  '1 M paused': async ({ store, sizes, producer }) => {
    await producer.application.get(JobQueue).pause(PAUSED);
    await insertWaiting(store, sizes.crowd, PAUSED);
  },
  '1 M retained': ({ store, sizes }) => insertRetained(store, sizes.crowd, { expired: false }),
  '1 M pruned meanwhile': ({ store, sizes }) => insertRetained(store, sizes.crowd, { expired: true }),
};

export const [BASE] = Object.keys(CROWDS);
export const POINTS = Object.keys(CROWDS);

export function cells() {
  const workerOptions = { types: [JOB_TYPE, PAUSED] };
  return POINTS.map((variant) => ({ system: 'ours', variant, keepsStore: true, rounds: 2, workerOptions }));
}

export async function run(cell) {
  const { variant, sizes, round, producer, workers, workerOptions } = cell;
  if (round === 0) await CROWDS[variant](cell);
  await preload(producer, sizes.crowdedJobs);
  await workers.open(1, { options: workerOptions, concurrency: 100 });
  return measureDrain({ producer, workers, jobs: sizes.crowdedJobs, seconds: sizes.seconds, rest: true });
}

export function tables(results) {
  const rows = results.systems('curves').flatMap((at) => {
    const base = results.median({ measure: 'curves', variant: BASE, ...at, figure: 'rate' });
    return POINTS.map((variant) => ({
      variant,
      rounds: results.rounds({ measure: 'curves', variant, ...at, figure: 'rate' }),
    }))
      .filter(({ rounds }) => rounds.length > 0)
      .map(({ variant, rounds }) => ({
        ...nameOf(at),
        beside: variant,
        'jobs/s': spread(rounds, perSecond),
        'of 10 k':
          base === undefined
            ? ''
            : (results.median({ measure: 'curves', variant, ...at, figure: 'rate' }) / base).toFixed(2),
      }));
  });
  return [{ title: 'Curves: the drain of 10,000 jobs beside others', rows }];
}
