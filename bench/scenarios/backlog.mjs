import { JOB_TYPE, startProducer } from '../support/application.mjs';
import { drainByLibrary } from '../support/drain-round.mjs';
import { insertFuture, insertUnhandled } from '../support/rows.mjs';
import { median, perSecond, ratio, spread } from '../support/statistics.mjs';

/** The drain beside a million rows that are none of its business, in turns. */
export default async function backlog(database, { rounds, drainJobs, waitingRows }) {
  const cases = [
    await openCase(database, 'nothing else', async () => undefined),
    await openCase(database, 'waiting jobs of a type without a handler', (store) =>
      insertUnhandled(store, waitingRows),
    ),
    await openCase(database, 'future jobs of the same type', (store) => insertFuture(store, waitingRows, JOB_TYPE)),
  ];
  for (let round = 0; round <= rounds; round++) {
    for (const { store, rates } of cases) rates.push(await drainByLibrary(store, drainJobs));
  }
  for (const { store } of cases) await store.drop();
  const measured = cases.map(({ beside, rates }) => ({ beside, rates: rates.slice(1) }));
  const base = median(measured[0].rates);
  return {
    title: `Backlog: the drain beside ${waitingRows.toLocaleString('en')} other rows`,
    rows: measured.map(({ beside, rates }) => ({
      beside,
      'jobs/s, median (min–max)': spread(rates, perSecond),
      ratio: ratio(median(rates) / base),
    })),
  };
}

async function openCase(database, beside, fill) {
  const store = await database.create();
  const application = await startProducer(store);
  await application.close();
  await fill(store);
  return { beside, store, rates: [] };
}
