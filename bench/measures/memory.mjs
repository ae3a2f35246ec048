import { measureDrain } from '../support/measure-drain.mjs';
import { preload } from '../support/preload.mjs';
import { mebibytes } from '../report/statistics.mjs';
import { rateTable } from '../report/tables.mjs';

const CONCURRENCY = 100;
const FEW = 1_000;

export function cells() {
  return ['few', 'many'].map((variant) => ({ system: 'ours', variant, rounds: 1 }));
}

/** The most that a process needs beyond what it has at rest, with few and with many jobs waiting. */
export async function run({ variant, sizes, producer, workers }) {
  const jobs = variant === 'few' ? FEW : sizes.waitingJobs;
  await preload(producer, jobs);
  const handler = { kind: 'sleep', milliseconds: 20 };
  const [rest] = await workers.open(1, { concurrency: CONCURRENCY, handler });
  const { reports } = await measureDrain({ producer, workers, jobs, seconds: sizes.seconds });
  const [{ peak }] = reports;
  return { grown: peak.rss - rest.rss, rss: peak.rss };
}

export function tables(results) {
  const read = (figure) =>
    rateTable(results, { measure: 'memory', variants: ['few', 'many'], figure, format: mebibytes });
  return [
    { title: 'Memory of a process beyond that at rest, few and many jobs waiting', ...read('grown') },
    { title: 'Memory of a process in all (resident set)', ...read('rss') },
  ];
}
