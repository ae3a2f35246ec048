import { measureDrain } from '../support/measure-drain.mjs';
import { JOB_TYPE } from '../support/job-type.mjs';
import { RATE, RATED_TYPE } from '../support/limits.mjs';
import { preload } from '../support/preload.mjs';
import { insertWaiting } from '../support/rows.mjs';
import { rateTable } from '../report/tables.mjs';

const PROCESSES = 4;
const CONCURRENCY = 25;
const MILLISECONDS = 20;

/** What limits the measured type, as `LIMITS` knows it. */
const KINDS = {
  'no limit': 'none',
  '50 keys, 2 each': 'keys',
  'globalConcurrency 100': 'global',
  'beside a rate-limited type': 'rated beside',
};
const JOBS = { 'no-op': { kind: 'no-op' }, '20 ms': { kind: 'sleep', milliseconds: MILLISECONDS } };

export const variantOf = (kind, jobs) => `${kind}, ${jobs}`;
/** The one that the others of the same jobs are compared with. */
export const [WITHOUT, ...LIMITED] = Object.keys(KINDS);
export const JOBS_OF_LIMITS = Object.keys(JOBS);

export function cells() {
  return JOBS_OF_LIMITS.flatMap((jobs) =>
    Object.entries(KINDS).map(([kind, limits]) => ({
      system: 'ours',
      variant: variantOf(kind, jobs),
      options: { limits },
      limits,
      handler: JOBS[jobs],
    })),
  );
}

/** As many slots in all as the processes have together: what is missing is what the limits cost. */
export async function run({ limits, handler, sizes, store, producer, workers }) {
  const isBeside = limits === 'rated beside';
  await preload(producer, sizes.drainJobs);
  if (isBeside) await insertWaiting(store, sizes.drainJobs, RATED_TYPE);
  const types = { types: isBeside ? [JOB_TYPE, RATED_TYPE] : [JOB_TYPE] };
  await workers.open(PROCESSES, { concurrency: CONCURRENCY, handler, options: { limits, ...types } });
  const { seconds, drainJobs: jobs } = sizes;
  const drain = await measureDrain({ producer, workers, jobs, seconds, rest: isBeside });
  return isBeside ? { ...drain, rated: (await countRated(store)) / drain.elapsed } : drain;
}

async function countRated(store) {
  const ended = `SELECT COUNT(*) AS count FROM pq_job WHERE type = '${RATED_TYPE}' AND state = 'succeeded'`;
  return Number((await store.query(ended))[0].count);
}

export function tables(results) {
  const title = `Limits: jobs per second, ${PROCESSES} processes × ${CONCURRENCY}`;
  const rated = `Of a type limited to ${RATE.max} per ${RATE.per / 1_000} s: jobs per second beside another one`;
  return [
    ...JOBS_OF_LIMITS.map((jobs) => ({
      title: `${title}, jobs of ${jobs}`,
      ...rateTable(results, {
        measure: 'limits',
        variants: Object.keys(KINDS).map((kind) => variantOf(kind, jobs)),
        figure: 'rate',
      }),
    })),
    {
      title: rated,
      ...rateTable(results, {
        measure: 'limits',
        variants: JOBS_OF_LIMITS.map((jobs) => variantOf('beside a rate-limited type', jobs)),
        figure: 'rated',
      }),
    },
  ];
}
