import { measureDrain } from '../support/measure-drain.mjs';
import { preload } from '../support/preload.mjs';
import { SYSTEMS } from '../systems/index.mjs';
import { rateTable } from '../report/tables.mjs';

/** Processes × jobs that each runs at once. */
export const SHAPES = {
  '1 × 10': { processes: 1, concurrency: 10 },
  '1 × 100': { processes: 1, concurrency: 100 },
  '4 × 25': { processes: 4, concurrency: 25 },
};

export function cells() {
  return Object.keys(SYSTEMS).flatMap((system) =>
    Object.keys(SHAPES)
      // One loop takes batches one after the other: more of them are no limit for anybody.
      .filter((shape) => system !== 'bare' || SHAPES[shape].processes === 1)
      .map((variant) => ({ system, variant, rounds: isInATarget(system, variant) ? 'all' : 'one' })),
  );
}

/** The peers' other shapes are there to be read: one round is enough, and twenty minutes are not exceeded. */
function isInATarget(system, variant) {
  return variant === '1 × 100' || system === 'ours';
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
