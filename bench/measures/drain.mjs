import { measureDrain } from '../support/measure-drain.mjs';
import { preload } from '../support/preload.mjs';
import { SYSTEMS } from '../systems/index.mjs';
import { rateTable } from '../report/tables.mjs';

/** Processes × jobs that each runs at once. */
export const SHAPES = {
  '1 × 100': { processes: 1, concurrency: 100 },
  '1 × 10': { processes: 1, concurrency: 10 },
  '4 × 25': { processes: 4, concurrency: 25 },
};

/** The one that all are compared in. */
const MAIN = '1 × 100';

/** Figures of which a target is made get all rounds; the others are there to be read. */
const RIVALS = ['bullmq', 'pg-boss-fast', 'graphile-fast'];

export function cells() {
  return Object.keys(SYSTEMS).flatMap((system) =>
    Object.keys(SHAPES)
      .filter((variant) => variant === MAIN || isComparedInAll(system))
      .map((variant) => ({ system, variant, ...(isInATarget(system, variant) ? {} : { rounds: 1 }) })),
  );
}

/** A system that is slow by default is so in every shape. */
function isComparedInAll(system) {
  return system === 'ours' || RIVALS.includes(system);
}

function isInATarget(system, variant) {
  if (system === 'ours') return variant !== '1 × 10';
  return variant === MAIN && (system === 'bare' || RIVALS.includes(system));
}

export async function run({ system, variant, sizes, producer, workers }) {
  const { processes, concurrency } = SHAPES[variant];
  const jobs = Math.min(sizes.drainJobs, SYSTEMS[system].atMost ?? Infinity);
  await preload(producer, jobs);
  await workers.open(processes, { concurrency });
  return measureDrain({ producer, workers, jobs, seconds: sizes.seconds });
}

export function tables(results) {
  return [
    {
      title: 'Drain: no-op jobs per second, processes × concurrency',
      ...rateTable(results, { measure: 'drain', variants: Object.keys(SHAPES), figure: 'rate' }),
    },
  ];
}
