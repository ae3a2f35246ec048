import { measureDrain } from '../support/measure-drain.mjs';
import { preload } from '../support/preload.mjs';
import { rateTable } from '../report/tables.mjs';

const VARIANT = '20 ms';
const CONCURRENCY = 100;
const MILLISECONDS = 20;
export const IDEAL = (1_000 / MILLISECONDS) * CONCURRENCY;

export function cells() {
  return [{ system: 'ours', variant: VARIANT, rounds: 1 }];
}

export async function run({ sizes, producer, workers }) {
  // More than can end in time.
  const jobs = Math.ceil(IDEAL * sizes.seconds * 1.2);
  await preload(producer, jobs);
  await workers.open(1, { concurrency: CONCURRENCY, handler: { kind: 'sleep', milliseconds: MILLISECONDS } });
  return measureDrain({ producer, workers, jobs, seconds: sizes.seconds });
}

export function tables(results) {
  return [
    {
      title: `Jobs of ${MILLISECONDS} ms at concurrency ${CONCURRENCY}, per second`,
      ...rateTable(results, { measure: 'slow', variants: [VARIANT], figure: 'rate' }),
      note: `Ideal: ${IDEAL.toLocaleString('en')}.`,
    },
  ];
}
