import type { JobQueue } from 'nestjs-persistent-queue';
import { setTimeout } from 'node:timers/promises';
import type { Dashboard } from './dashboard.js';
import type { CardTerminal } from './shop-jobs.js';

const WITHIN = 20_000;

/** Each job, and the reason for which it is not running. */
export async function fill(jobQueue: JobQueue): Promise<Map<string, string>> {
  await jobQueue.pause('report.build');
  const add = async (type: string, payload: unknown, delay = 0) =>
    (await jobQueue.enqueue(type, payload, { delay })).id;
  return new Map([
    [await add('order.notify', { order: 'A-1' }), 'ended'],
    [await add('payment.capture', { order: 'A-2' }), 'ended'],
    [await add('order.notify', { order: 'A-3' }, 86_400_000), 'not-due'],
    [await add('order.fulfil', { order: 'A-4' }), 'not-due'],
    [await add('report.build', { month: '2026-11' }), 'paused'],
    [await add('invoice.print', { order: 'A-5' }), 'no-handler'],
    [await add('stock.count', { hall: 1 }), 'running'],
    [await add('stock.count', { hall: 2 }), 'concurrency-full'],
  ]);
}

/** What a person would look at, and do, at 3 a.m. Answers whether all of it was as it should be. */
export async function walk(
  dashboard: Dashboard,
  jobs: ReadonlyMap<string, string>,
  terminal: CardTerminal,
): Promise<boolean> {
  const right: boolean[] = [];
  for (const [id, reason] of jobs) right.push(await showWhy(dashboard, id, reason));
  console.log('\ntype              state            running');
  for (const { type, paused, unhandled, running, concurrency } of await dashboard.types()) {
    const state = unhandled ? 'no node runs it' : paused ? 'paused' : '';
    console.log(`${type.padEnd(18)}${state.padEnd(17)}${running} of ${concurrency}`);
  }
  const [, failed = ''] = jobs.keys();
  terminal.isMended = true;
  console.log('\nThe terminal is mended.');
  right.push(
    told('somebody who is not logged in asks', await dashboard.asStranger(), 401),
    told('a page of another site has it retried', await dashboard.forged(`jobs/${failed}/retry`), 403),
    told('the job that had failed is retried', await dashboard.post(`jobs/${failed}/retry`), 200),
    told('it is retried once more', await dashboard.post(`jobs/${failed}/retry`), 409),
    told('report.build is resumed', await dashboard.post('types/report.build/resume'), 200),
  );
  await until(async () => (await dashboard.job(failed)).job.state === 'succeeded');
  console.log(`  job ${failed} has succeeded`);
  return right.every(Boolean);
}

async function showWhy(dashboard: Dashboard, id: string, reason: string): Promise<boolean> {
  const ask = () => dashboard.job(id);
  const isThere = async () => (await ask()).reasons.some((each) => each.reason === reason);
  const found = await until(isThere);
  const { job, reasons, steps, attempts } = await ask();
  console.log(`\njob ${id}  ${job.type}  ${job.state}`);
  for (const { sentence, advice } of reasons) console.log(`  ${sentence}\n    → ${advice}`);
  for (const { name, state } of steps.steps) console.log(`  step ${name}: ${state}`);
  for (const { outcome, error } of attempts) if (error) console.log(`  attempt: ${outcome}, ${error.message}`);
  return found;
}

function told(what: string, status: number, expected: number): boolean {
  console.log(`  ${what}: ${status}`);
  return status === expected;
}

async function until(condition: () => Promise<boolean>): Promise<boolean> {
  for (const giveUpAt = Date.now() + WITHIN; Date.now() < giveUpAt; await setTimeout(50)) {
    if (await condition()) return true;
  }
  return false;
}
