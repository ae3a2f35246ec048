import { callAgain } from '../support/call-again.mjs';
import { preload } from '../support/preload.mjs';
import { WITH_WAKE_UPS, wakeUpCells } from '../support/wake-ups.mjs';
import { SYSTEMS } from '../systems/index.mjs';
import { perSecond, spread } from '../report/statistics.mjs';
import { nameOf } from '../report/tables.mjs';

const FIGURES = ['1 caller', '32 callers', 'in a transaction', 'bulk'];
const VARIANT = 'enqueue';
const VARIANTS = [VARIANT, ...WITH_WAKE_UPS.map(({ title }) => `${VARIANT}, ${title}`)];
/** These get all rounds. */
const OWN = new Set(['ours', 'bare']);
const OWN_TABLE = 'CREATE TABLE bench_own (note VARCHAR(20))';
const OWN_ROW = "INSERT INTO bench_own (note) VALUES ('own')";
const MOST_BULK_SECONDS = 5;

/** Whoever differs only in how jobs are run is measured once. */
export function cells() {
  return Object.keys(SYSTEMS)
    .filter((system) => system !== 'pg-boss-fast' && system !== 'graphile-fast')
    .flatMap((system) => [
      { system, variant: VARIANT, ...(OWN.has(system) ? {} : { rounds: 1 }) },
      ...(system === 'ours' ? wakeUpCells(VARIANT) : []),
    ]);
}

/** An error that reaches the caller fails the cell: deadlocks must not. */
export async function run({ sizes, store, producer, workers, options: { wakeUps } = {} }) {
  const { enqueue, enqueueInTransaction } = producer;
  // It hears all that is sent, and begins nothing.
  if (wakeUps !== undefined) await workers.open(1, { concurrency: 1 });
  const figures = {};
  let stored = 0;
  const measure = async (name, work) => {
    const { count, seconds } = await work();
    stored += count;
    figures[name] = count / seconds;
  };
  await measure('1 caller', () => callAgain(1, enqueue, sizes.enqueueSeconds));
  await measure('32 callers', () => callAgain(32, enqueue, sizes.enqueueSeconds));
  if (enqueueInTransaction !== undefined) {
    await store.query(OWN_TABLE);
    const work = (job) => enqueueInTransaction(OWN_ROW, job);
    await measure('in a transaction', () => callAgain(1, work, sizes.enqueueSeconds));
  }
  await measure('bulk', () => bulk(producer, sizes.bulkJobs));
  const found = await producer.stored();
  if (found !== stored) throw new Error(`${stored} jobs were enqueued, the store has ${found}.`);
  return figures;
}

/** In calls of 1,000. */
async function bulk(producer, most) {
  const began = performance.now();
  let count = 0;
  while (count < most && performance.now() - began < MOST_BULK_SECONDS * 1_000) {
    const chunk = Math.min(1_000, most - count);
    await preload(producer, chunk, count);
    count += chunk;
  }
  return { count, seconds: (performance.now() - began) / 1_000 };
}

export function tables(results) {
  const rows = results.systems('enqueue').flatMap((at) =>
    VARIANTS.map((variant) => ({ at, variant, figures: figuresOf(results, at, variant) }))
      .filter(({ figures }) => Object.values(figures).some((text) => text !== ''))
      .map(({ variant, figures }) => ({ ...nameOf(at), 'wake-ups': variant.split(', ')[1] ?? '', ...figures })),
  );
  return [{ title: 'Enqueue: jobs per second', rows }];
}

function figuresOf(results, at, variant) {
  return Object.fromEntries(
    FIGURES.map((figure) => {
      const rounds = results.rounds({ measure: 'enqueue', variant, ...at, figure });
      return [figure, rounds.length === 0 ? '' : spread(rounds, perSecond)];
    }),
  );
}
