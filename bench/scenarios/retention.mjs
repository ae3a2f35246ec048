import { drainByLibrary } from '../support/drain-round.mjs';
import { startApplication, startProducer } from '../support/application.mjs';
import { enqueueAndClaim } from '../support/claims.mjs';
import { insertExpired } from '../support/rows.mjs';
import { median, milliseconds, percentile, perSecond, ratio, spread } from '../support/statistics.mjs';
import { JobRepository } from 'nestjs-persistent-queue';

const EVERYTHING_BUT_MAINTENANCE = ['enqueue', 'work', 'schedule'];

/** The drain and the claim beside a million rows whose retention has passed: kept, while they are pruned, and after. */
export default async function retention(database, { rounds, drainJobs, waitingRows }) {
  const store = await database.create();
  try {
    await (await startProducer(store)).close();
    await insertExpired(store, waitingRows);
    const kept = openPhase('before: nothing is pruned');
    const pruned = openPhase('during: pruned beside');
    const after = openPhase('after: all pruned');
    for (let round = 0; round <= rounds; round++) {
      await measure(kept, store, drainJobs, EVERYTHING_BUT_MAINTENANCE);
      await measure(pruned, store, drainJobs, undefined);
    }
    await pruneTheRest(store);
    for (let round = 0; round <= rounds; round++) await measure(after, store, drainJobs, EVERYTHING_BUT_MAINTENANCE);
    return tableOf([kept, pruned, after], waitingRows);
  } finally {
    await store.drop();
  }
}

function openPhase(title) {
  return { title, rates: [], claims: [], deleted: [] };
}

async function measure(phase, store, drainJobs, roles) {
  const before = await expired(store);
  const began = performance.now();
  phase.rates.push(await drainByLibrary(store, 2 * drainJobs, { roles }));
  phase.claims.push(...(await claimsBeside(store, drainJobs, roles)));
  phase.deleted.push((before - (await expired(store))) / ((performance.now() - began) / 1_000));
}

/** The claims are timed one by one, while another application does the pruning, or nothing. */
async function claimsBeside(store, jobs, roles) {
  const other = await startApplication(store, { types: [], roles: roles ?? ['maintain'] });
  try {
    return await enqueueAndClaim(store, jobs);
  } finally {
    await other.close();
  }
}

async function pruneTheRest(store) {
  const application = await startProducer(store);
  while ((await application.get(JobRepository).prune(1_000)) > 0);
  await application.close();
  await store.vacuum();
}

async function expired(store) {
  const [{ count }] = await store.query("SELECT COUNT(*) AS count FROM pq_job WHERE type = 'bench.expired'");
  return Number(count);
}

function tableOf(phases, rows) {
  // The first round warms up.
  const measured = phases.map((phase) => ({ ...phase, rates: phase.rates.slice(1) }));
  const base = median(measured[0].rates);
  return {
    title: `Retention: the drain and the claim beside ${rows.toLocaleString('en')} ended jobs`,
    rows: measured.map(({ title, rates, claims, deleted }) => ({
      '': title,
      'jobs/s, median (min–max)': spread(rates, perSecond),
      ratio: ratio(median(rates) / base),
      'claim of 100, p50': milliseconds(median(claims)),
      p99: milliseconds(percentile(claims, 99)),
      'pruned/s': perSecond(median(deleted)),
    })),
  };
}
