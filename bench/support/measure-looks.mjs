import { JobRepository } from './library.mjs';
import { insertLivingNodes } from './rows.mjs';
import { watchLoad } from './server-load.mjs';

/** What one look costs: how long it takes, and of the server's CPU, in milliseconds. By the number of types, and by what a sweep sees. */
export async function measureLooks({ store, producer, types, crowds, seconds }) {
  const repository = producer.application.get(JobRepository);
  const figures = {};
  for (const count of types) {
    const names = Array.from({ length: count }, (_, index) => `bench.type${index}`);
    const look = () => repository.survey({ types: names, sweep: false });
    Object.assign(figures, await costOf(`${count} types`, store, seconds, look));
  }
  for (const { nodes, running } of crowds) {
    await insertLivingNodes(store, nodes, running);
    const look = () => repository.survey({ types: [], sweep: true });
    Object.assign(figures, await costOf(`${nodes} nodes`, store, seconds, look));
  }
  return figures;
}

async function costOf(name, store, seconds, look) {
  const stopWatching = await watchLoad(store, { pids: [] });
  const began = performance.now();
  let looks = 0;
  for (; performance.now() - began < seconds * 1_000; looks++) await look();
  const load = await stopWatching();
  return { [`${name} took`]: (load.seconds * 1_000) / looks, [`${name} server`]: (load.serverCpu * 1_000) / looks };
}
