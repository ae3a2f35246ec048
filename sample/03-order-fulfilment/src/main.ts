import 'reflect-metadata';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NestFactory } from '@nestjs/core';
import { JobQueue } from 'nestjs-persistent-queue';
import { DataSource } from 'typeorm';
import { AppModule } from './app.module.js';
import type { Fulfilment, Report } from './fulfil-order.js';
import { figures, isRight, show } from './figures.js';

const NODE = fileURLToPath(new URL('./node.js', import.meta.url));
const ORDERS = 12;
const KILL_AFTER = 5;

const folder = await mkdtemp(join(tmpdir(), 'fulfilment-'));
const database = join(folder, 'orders.sqlite');
const app = await NestFactory.createApplicationContext(AppModule.for(database, ['enqueue']), { logger: ['error'] });
const jobQueue = app.get(JobQueue);
const children: ChildProcess[] = [];
let charged = 0;

try {
  const orders = Array.from({ length: ORDERS }, (_, n) => orderNumber(n + 1));
  const enqueue = (order: Fulfilment) => jobQueue.enqueue('order.fulfil', order, { key: order.order });
  const enqueued = await Promise.all(orders.map(enqueue));
  // A key is for ever: whoever enqueues an order again gets the same job.
  await Promise.all(orders.map(enqueue));
  console.log(`${ORDERS} orders, each a job of five steps; two processes, of which the first is killed.\n`);
  children.push(start(1), start(2));
  const jobs = await Promise.all(enqueued.map(({ id }) => jobQueue.waitFor(id, { timeout: '60s' })));
  const steps = await Promise.all(jobs.map(({ id }) => jobQueue.steps(id)));
  const payments = await app.get(DataSource).query<{ order: string }[]>('SELECT "order" FROM payment');
  const found = figures(jobs, steps, payments);
  console.log(`\n${show(found)}`);
  process.exitCode = isRight(found, orders) ? 0 : 1;
} finally {
  await Promise.all(children.map(stop));
  await app.close();
  await rm(folder, { recursive: true, force: true });
}

/** Every sixth customer's card is declined. */
function orderNumber(n: number): Fulfilment {
  return { order: `A-${String(n).padStart(3, '0')}`, card: n % 6 === 0 ? 'declined' : 'good' };
}

function start(number: number): ChildProcess {
  const child = fork(NODE, [database]);
  child.on('message', (report: Report) => {
    if ('ready' in report) return;
    console.log(`  process ${number}   ${report.order}   ${report.what}`);
    if (report.what === 'charged' && ++charged === KILL_AFTER) kill();
  });
  return child;
}

function kill(): void {
  console.log('  process 1 is killed (kill -9)');
  children[0]?.kill('SIGKILL');
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}
