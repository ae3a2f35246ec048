import { setTimeout as sleep } from 'node:timers/promises';
import { JobQueue } from 'nestjs-persistent-queue';
import { startApplication } from '../support/application.mjs';
import { compareClaims } from '../support/claims.mjs';
import { insertUnhandled } from '../support/rows.mjs';
import { milliseconds, ratio } from '../support/statistics.mjs';

/** What a process at rest asks of the database, and what its claims cost, with and without a crowd of rows it has no handler for. */
export default async function idle(database, sizes) {
  const types = Array.from({ length: sizes.handlers }, (_, index) => `bench.type${index}`);
  const rates = await idleRates(database, types, sizes);
  const [empty, crowded] = await compareClaims(database, types, sizes);
  return {
    title: `Idle: ${sizes.handlers} handlers, ${sizes.idle / 1_000} s at rest`,
    rows: [row('none', rates[0], empty, empty), row(sizes.waitingRows.toLocaleString('en'), rates[1], crowded, empty)],
    note: `Medians: a claim of 100 jobs, and one look at all ${sizes.handlers} types, each beside that many waiting rows of a type without a handler.`,
  };
}

function row(waiting, rate, { claim, look }, base) {
  return {
    'unhandled rows': waiting,
    'statements/s': rate.toFixed(2),
    'claim of 100': milliseconds(claim),
    'claim, ratio': ratio(claim / base.claim),
    look: milliseconds(look),
    'look, ratio': ratio(look / base.look),
  };
}

async function idleRates(database, types, { warmUp, idle: duration, waitingRows }) {
  const store = await database.create({ countStatements: true });
  const application = await startApplication(store, { types });
  for (const type of types) await application.get(JobQueue).enqueue(type, {});
  await sleep(warmUp);
  const alone = await rateOf(store, duration);
  await insertUnhandled(store, waitingRows);
  await sleep(warmUp);
  const crowded = await rateOf(store, duration);
  await application.close();
  await store.drop();
  return [alone, crowded];
}

async function rateOf(store, duration) {
  const before = await store.statements();
  const started = performance.now();
  await sleep(duration);
  const sent = (await store.statements()) - before;
  return (sent / (performance.now() - started)) * 1_000;
}
