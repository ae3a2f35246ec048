import { measureDrain } from '../support/measure-drain.mjs';
import { preload } from '../support/preload.mjs';
import { percent } from '../report/statistics.mjs';
import { rateTable } from '../report/tables.mjs';

const VARIANT = '2 nodes';
const JOBS = 200;
const CONCURRENCY = 25;

export function cells() {
  return [{ system: 'ours', variant: VARIANT, rounds: 1 }];
}

/** Two nodes that start together, with handlers of a second each: what the one takes early, the other cannot have. */
export async function run({ producer, workers }) {
  await preload(producer, JOBS);
  await workers.open(2, { concurrency: CONCURRENCY, handler: { kind: 'sleep', milliseconds: 1_000 } });
  const { reports } = await measureDrain({ producer, workers, jobs: JOBS, seconds: 30 });
  return { least: Math.min(...reports.map(({ handled }) => handled)) / JOBS };
}

export function tables(results) {
  return [
    {
      title: `Fairness: the smaller share of two nodes in ${JOBS} jobs of a second`,
      ...rateTable(results, { measure: 'fairness', variants: [VARIANT], figure: 'least', format: percent }),
    },
  ];
}
