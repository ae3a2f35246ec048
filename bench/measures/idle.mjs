import { setTimeout as sleep } from 'node:timers/promises';
import { insertWaiting } from '../support/rows.mjs';
import { nameOf } from '../report/tables.mjs';

const VARIANT = 'idle';

export function cells(sizes) {
  const types = Array.from({ length: sizes.handlers }, (_, index) => `bench.type${index}`);
  return [{ system: 'ours', variant: VARIANT, rounds: 1, workerOptions: { types } }];
}

/** What a process at rest asks of the database: with nothing waiting, and beside a crowd of jobs it has no handler for. */
export async function run({ database, sizes, store, workers, workerOptions }) {
  // Servers count by themselves.
  const countStatements = database === 'sqlite';
  await workers.open(1, { options: workerOptions, concurrency: 100, countStatements });
  workers.start();
  const alone = await rateAtRest(workers, sizes);
  await insertWaiting(store, sizes.crowd, 'bench.unhandled');
  const crowded = await rateAtRest(workers, sizes);
  await workers.stop();
  return { alone, crowded };
}

async function rateAtRest(workers, { warmUpSeconds, idleSeconds }) {
  await sleep(warmUpSeconds * 1_000);
  const { count: before } = await workers.ask({ name: 'statements' }, 'statements');
  const began = performance.now();
  await sleep(idleSeconds * 1_000);
  const { count } = await workers.ask({ name: 'statements' }, 'statements');
  return ((count - before) / (performance.now() - began)) * 1_000;
}

export function tables(results) {
  const rows = results.systems('idle').map((at) => {
    const read = (figure) => results.median({ measure: 'idle', variant: VARIANT, ...at, figure }).toFixed(2);
    return { ...nameOf(at), 'nothing waiting': read('alone'), 'beside a crowd without a handler': read('crowded') };
  });
  return [{ title: 'Idle: statements per second of a process with 50 handlers', rows }];
}
