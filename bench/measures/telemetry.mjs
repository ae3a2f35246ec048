import { measureDrain } from '../support/measure-drain.mjs';
import { preload } from '../support/preload.mjs';
import { TELEMETRY } from '../support/telemetry.mjs';
import { rateTable } from '../report/tables.mjs';

/** The one that all are compared with. */
export const WITHOUT = 'none';
const IN_A_TARGET = [WITHOUT, 'sdk', 'both', 'sampled'];

export function cells() {
  return Object.keys(TELEMETRY).map((variant) => ({
    system: 'ours',
    variant,
    options: { telemetry: variant },
    ...(IN_A_TARGET.includes(variant) ? {} : { rounds: 1 }),
  }));
}

/** The jobs are enqueued with the same telemetry: then their rows carry a trace context. */
export async function run({ sizes, producer, workers }) {
  await preload(producer, sizes.drainJobs);
  await workers.open(1, { concurrency: 100 });
  return measureDrain({ producer, workers, jobs: sizes.drainJobs, seconds: sizes.seconds });
}

export function tables(results) {
  const variants = Object.keys(TELEMETRY);
  return [
    {
      title: 'Telemetry: no-op jobs per second, one process of 100, by what looks on',
      ...rateTable(results, { measure: 'telemetry', variants, figure: 'rate' }),
    },
  ];
}
