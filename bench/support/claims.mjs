import { JobRepository } from './library.mjs';
import { enqueueJobs, JOB_TYPE, startProducer } from './application.mjs';
import { waitForQuiet } from './quiet.mjs';
import { insertUnhandled } from './rows.mjs';
import { median } from './statistics.mjs';

const BATCH = 100;
const LOOKS = 50;

/** As many running jobs as no node has would make the next looks dear. */
const END_CLAIMS =
  "UPDATE pq_job SET state = 'succeeded', node_id = NULL WHERE service = 'default' AND state = 'running'";

/** Median times of a claim and of a look in an empty and in a crowded database, measured in turns. */
export async function compareClaims(database, types, { rounds, drainJobs, waitingRows }) {
  const stores = [await openStore(database), await openStore(database)];
  await insertUnhandled(stores[1].store, waitingRows);
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    for (const { store, application, times } of stores) {
      if (round === 1) times.claims.length = times.looks.length = 0;
      times.looks.push(...(await timeLooks(application, types)));
      await enqueueJobs(application, drainJobs);
      await waitForQuiet();
      times.claims.push(...(await timeClaims(application, drainJobs)));
      await store.query(END_CLAIMS);
    }
  }
  for (const { store, application } of stores) {
    await application.close();
    await store.drop();
  }
  return stores.map(({ times }) => ({ claim: median(times.claims), look: median(times.looks) }));
}

/** The times of claims of 100 until all of `jobs` fresh ones are claimed. */
export async function enqueueAndClaim(store, jobs) {
  const application = await startProducer(store);
  await enqueueJobs(application, jobs);
  const times = await timeClaims(application, jobs);
  await store.query(END_CLAIMS);
  await application.close();
  return times;
}

async function openStore(database) {
  const store = await database.create();
  return { store, application: await startProducer(store), times: { claims: [], looks: [] } };
}

async function timeClaims(application, jobs) {
  const repository = application.get(JobRepository);
  const node = await repository.registerNode({ name: 'bench', types: [JOB_TYPE] });
  const request = { type: JOB_TYPE, priority: 0, node, limit: BATCH, deadline: undefined, maxCrashes: 3 };
  return timesOf(jobs / BATCH, async () => {
    const claimed = await repository.claim(request);
    if (claimed.length !== BATCH) throw new Error(`A claim of ${BATCH} jobs got ${claimed.length}.`);
  });
}

function timeLooks(application, types) {
  const repository = application.get(JobRepository);
  return timesOf(LOOKS, () => repository.survey({ types, sweep: true }));
}

async function timesOf(count, work) {
  const durations = [];
  for (let index = 0; index < count; index++) {
    const started = performance.now();
    await work();
    durations.push(performance.now() - started);
  }
  return durations;
}
