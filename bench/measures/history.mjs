import { measureDrain } from '../support/measure-drain.mjs';
import { preload } from '../support/preload.mjs';
import { rateTable } from '../report/tables.mjs';

const VARIANTS = { 'with history': { history: true }, 'without history': { history: false } };

/** The library always writes one: what that costs is shown by the bare loop. */
export function cells() {
  return Object.entries(VARIANTS).map(([variant, options]) => ({ system: 'bare', variant, options, rounds: 1 }));
}

export async function run({ sizes, producer, workers }) {
  await preload(producer, sizes.drainJobs);
  await workers.open(1, { concurrency: 100 });
  return measureDrain({ producer, workers, jobs: sizes.drainJobs, seconds: sizes.seconds });
}

export function tables(results) {
  return [
    {
      title: 'History: what a row per attempt costs a bare loop in batches of 100, jobs per second',
      ...rateTable(results, { measure: 'history', variants: Object.keys(VARIANTS), figure: 'rate' }),
    },
  ];
}
