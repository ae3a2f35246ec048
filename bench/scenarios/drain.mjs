import { drainBare, drainByLibrary } from '../support/drain-round.mjs';
import { median, perSecond, ratio, spread } from '../support/statistics.mjs';

/** No-op jobs in one process with default options, and the same writes in a bare SQL loop, in turns. */
export default async function drain(database, { rounds, drainJobs }) {
  const library = [];
  const bare = [];
  // The first round of each warms up the compiler and the server, and does not count.
  for (let round = 0; round <= rounds; round++) {
    library.push(await onFreshStore(database, (store) => drainByLibrary(store, drainJobs)));
    bare.push(await onFreshStore(database, (store) => drainBare(store, drainJobs)));
  }
  const [ours, theirs] = [library.slice(1), bare.slice(1)];
  return {
    title: `Drain: ${drainJobs.toLocaleString('en')} no-op jobs, one process`,
    rows: [
      {
        '': 'library, default options',
        'jobs/s, median (min–max)': spread(ours, perSecond),
        ratio: ratio(median(ours) / median(theirs)),
      },
      { '': 'bare SQL loop, batches of 100', 'jobs/s, median (min–max)': spread(theirs, perSecond), ratio: ratio(1) },
    ],
  };
}

async function onFreshStore(database, measure) {
  const store = await database.create();
  try {
    return await measure(store);
  } finally {
    await store.drop();
  }
}
