import { setTimeout as sleep } from 'node:timers/promises';
import { callAgain } from '../support/call-again.mjs';
import { rateTable } from '../report/tables.mjs';

const VARIANT = '32 callers, 4 × 25';
const PATIENCE = 60_000;

export function cells() {
  return [{ system: 'ours', variant: VARIANT, rounds: 1 }];
}

/** Everything at once: an error that reaches a caller or a job, such as a deadlock, fails the cell. */
export async function run({ sizes, producer, workers }) {
  await workers.open(4, { concurrency: 25 });
  workers.start();
  const began = performance.now();
  const { count } = await callAgain(32, producer.enqueue, sizes.seconds);
  if (!(await workers.handled(count, PATIENCE))) throw new Error(`Not all of ${count} jobs have been handled.`);
  while (!(await producer.isDone())) await sleep(2);
  const rate = count / ((performance.now() - began) / 1_000);
  const completed = await producer.completed();
  if (completed !== count) throw new Error(`${count} jobs should have ended, the store knows of ${completed}.`);
  return { rate };
}

export function tables(results) {
  return [
    {
      title: 'Traffic: jobs per second that 32 callers enqueue while 4 processes run them',
      ...rateTable(results, { measure: 'traffic', variants: [VARIANT], figure: 'rate' }),
    },
  ];
}
