import { enqueueSlowly } from '../support/enqueue-slowly.mjs';
import { WITH_WAKE_UPS, wakeUpCells } from '../support/wake-ups.mjs';
import { SYSTEMS } from '../systems/index.mjs';
import { milliseconds, percentile } from '../report/statistics.mjs';
import { nameOf } from '../report/tables.mjs';

const OTHER = 'other process';
const VARIANTS = ['same process', OTHER];
const WITH = WITH_WAKE_UPS.map(({ title }) => `${OTHER}, ${title}`);
/** So that only a wake-up can be the reason why a job starts. */
const NEVER = { poll: { min: '1m', max: '1m' } };
const PERCENTILES = [50, 95, 99];
const WARM_UP_JOBS = 20;
const CONCURRENCY = 100;
/** pg-boss looks every two seconds, and then takes one job per worker. */
const PATIENCE = 20_000;

export function cells() {
  return (
    Object.keys(SYSTEMS)
      .filter((system) => system !== 'bare')
      .flatMap((system) => VARIANTS.map((variant) => ({ system, variant, rounds: 1 })))
      // No peer tells its own process of a job without a way through the store.
      .filter(({ system, variant }) => system === 'ours' || variant === OTHER)
      .concat(wakeUpCells(OTHER, NEVER).map((cell) => ({ ...cell, rounds: 1 })))
  );
}

/** From the call of enqueue to the call of the handler. */
export async function run({ variant, sizes, producer, workers }) {
  await workers.open(1, { concurrency: CONCURRENCY, handler: { kind: 'clock' } });
  workers.start();
  const plan = { pause: sizes.latencyPause };
  await enqueueIn(variant, { producer, workers }, { ...plan, first: 0, count: WARM_UP_JOBS });
  const measured = { ...plan, first: WARM_UP_JOBS, count: sizes.latencyJobs };
  const called = await enqueueIn(variant, { producer, workers }, measured);
  const all = WARM_UP_JOBS + sizes.latencyJobs;
  if (!(await workers.handled(all, PATIENCE))) throw new Error(`Not all of ${all} jobs have been started.`);
  const [{ started }] = await workers.stop();
  const times = Object.keys(called).map((number) => started[number] - called[number]);
  return Object.fromEntries(PERCENTILES.map((percent) => [`p${percent}`, percentile(times, percent)]));
}

async function enqueueIn(variant, { producer, workers }, plan) {
  if (variant !== VARIANTS[0]) return enqueueSlowly(producer.enqueue, plan);
  return (await workers.ask({ name: 'enqueue', ...plan }, 'enqueued')).called;
}

export function tables(results) {
  const rows = results.systems('latency').flatMap((at) =>
    [...VARIANTS, ...WITH]
      .filter((variant) => results.median({ measure: 'latency', variant, ...at, figure: 'p50' }) !== undefined)
      .map((variant) => ({
        ...nameOf(at),
        enqueued: `in the ${variant}`,
        ...Object.fromEntries(
          PERCENTILES.map((percent) => {
            const value = results.median({ measure: 'latency', variant, ...at, figure: `p${percent}` });
            return [`p${percent}`, value === undefined ? '' : milliseconds(value)];
          }),
        ),
      })),
  );
  return [{ title: 'Start latency: from enqueue to handler, one job per 50 ms', rows }];
}
