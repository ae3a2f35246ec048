import 'reflect-metadata';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { NestFactory } from '@nestjs/core';
import { JobQueue } from 'nestjs-persistent-queue';
import { createConnection } from 'mysql2/promise';
import { DataSource } from 'typeorm';
import { startGalera, type Galera } from '../../../test/support/galera.mjs';
import { isRight, ledgerOf, show, type Outage } from './ledger.js';
import type { Members } from './members.js';
import { place } from './orders.js';
import { ProducerModule } from './producer.module.js';
import { Shipment } from './shipment.entity.js';

const WORKER = fileURLToPath(new URL('./worker.js', import.meta.url));
const WORKERS = 4;
const ORDERS = 500;
/** Milliseconds: between the first order and the death of the first member, and from there to its return. */
const KILL_AFTER = 5_000;
const BACK_AFTER = 6_000;
const PATIENCE = 40_000;

console.log('A Galera cluster of three members is started on this machine …');
const cluster = await startGalera();
if (cluster === undefined) {
  console.error(
    'MariaDB Galera is not installed: there is no libgalera_smm.so, or no mariadbd. ' +
      'Install both (Debian: apt-get install mariadb-server galera-4 rsync) and run this again.',
  );
  process.exit(2);
}

const workers: ChildProcess[] = [];
try {
  process.exitCode = (await run(cluster)) ? 0 : 1;
} finally {
  await Promise.all(workers.map(stop));
  await cluster.stop();
}

async function run({ members }: Galera): Promise<boolean> {
  await createDatabase(members[0]?.url ?? '');
  const all = { addresses: members.map(({ host }) => host), port: members[0]?.port ?? 0 };
  const producer = await NestFactory.createApplicationContext(ProducerModule.on(all), { logger: ['fatal'] });
  const jobQueue = producer.get(JobQueue);
  try {
    await Promise.all(Array.from({ length: WORKERS }, (_, index) => start(index + 1, all)));
    console.log(`${WORKERS} workers on its members, and ${ORDERS} orders, which are enqueued one by one on member1.\n`);
    const [placed, outage] = await Promise.all([place(jobQueue, ORDERS), killAndReturn(members)]);
    await untilAllHaveEnded(jobQueue);
    const shipments = await producer.get(DataSource).manager.find(Shipment);
    const ledger = ledgerOf(placed, outage, await jobQueue.counts(), shipments);
    console.log(`\n${show(ledger)}`);
    return isRight(ledger);
  } finally {
    await producer.close();
  }
}

async function createDatabase(url: string): Promise<void> {
  const connection = await createConnection(url);
  await connection.query('CREATE DATABASE shop');
  await connection.end();
}

/** Each prefers another member, and knows them all. */
async function start(number: number, { addresses, port }: Members): Promise<void> {
  const first = (number - 1) % addresses.length;
  const inTurn = [...addresses.slice(first), ...addresses.slice(0, first)];
  const worker = fork(WORKER, [String(number), String(port), ...inTurn]);
  workers.push(worker);
  // One that dies at its start will never say a word.
  const ended = once(worker, 'exit').then(([code, signal]) => {
    throw new Error(`Worker ${number} has ended at its start (${signal ?? code}): see what it has said above.`);
  });
  await Promise.race([once(worker, 'message'), ended]);
}

/** Answers when it was dead. */
async function killAndReturn([first]: Galera['members']): Promise<Outage> {
  await setTimeout(KILL_AFTER);
  console.log('  member1 is killed (kill -9): that of the producer and of the workers 1 and 4');
  await first?.kill();
  const from = Date.now();
  await setTimeout(BACK_AFTER);
  console.log('  member1 comes back');
  const to = Date.now();
  await first?.start();
  console.log('  member1 has caught up');
  return { from, to };
}

async function untilAllHaveEnded(jobQueue: JobQueue): Promise<void> {
  const giveUpAt = Date.now() + PATIENCE;
  while ((await jobQueue.counts()).some(({ state }) => state !== 'succeeded' && state !== 'failed')) {
    // What is missing then is in the ledger.
    if (Date.now() > giveUpAt) return;
    await setTimeout(100);
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}
