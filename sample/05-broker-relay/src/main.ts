import 'reflect-metadata';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { NestFactory } from '@nestjs/core';
import { JobQueue } from 'nestjs-persistent-queue';
import { DataSource } from 'typeorm';
import { startRabbitMq, startRedis, type Broker } from '../../../test/support/brokers.mjs';
import { SHIP } from './broker.js';
import type { Report } from './consumer.js';
import { Shipment } from './database.js';
import { figures, isRight, show } from './figures.js';
import { RelayModule, Sent } from './relay.js';

const CONSUMER = fileURLToPath(new URL('./consumer.js', import.meta.url));
const PARCELS = 50;
const CRASH_AFTER = 20;
const OUTAGE = 1_500;

const wantsRabbitMq = process.argv.includes('rabbitmq');
const name = wantsRabbitMq ? 'RabbitMQ' : 'Redis';
const broker = await (wantsRabbitMq ? startRabbitMq() : startRedis());
if (broker === undefined) {
  const program = wantsRabbitMq ? 'rabbitmq-server' : 'redis-server';
  console.error(
    `${name} is not installed. Install ${program} (Debian: apt-get install ${program}) and run this again.`,
  );
  process.exit(2);
}

const folder = await mkdtemp(join(tmpdir(), 'relay-'));
const file = join(folder, 'shop.sqlite');
const app = await NestFactory.createApplicationContext(RelayModule.for(file, broker.url), { logger: ['fatal'] });
const jobQueue = app.get(JobQueue);
const seen = { refused: 0, delivered: 0, late: 0 };
jobQueue.events$.subscribe((event) => {
  if (event.name !== 'job.retried') return;
  if (seen.refused++ === 0) console.log(`  a send has failed (${event.error}): its job waits, and is tried again`);
});
const consumer = fork(CONSUMER, [file, broker.url]);

try {
  await once(consumer, 'message');
  consumer.on('message', (report: Report) => {
    seen.delivered++;
    if (report === 'late') seen.late++;
  });
  console.log(`${PARCELS} jobs, sent through ${name} to another application, which acknowledges them.\n`);
  const ids: string[] = [];
  let outage: Promise<void> | undefined;
  for (let parcel = 1; parcel <= PARCELS; parcel++) {
    ids.push((await jobQueue.enqueue(SHIP, { parcel })).id);
    if (parcel === CRASH_AFTER) outage = restart(broker);
    await setTimeout(50);
  }
  await outage;
  await Promise.all(ids.map((id) => jobQueue.waitFor(id, { timeout: '60s' })));
  const shipments = await app.get(DataSource).manager.find(Shipment);
  const found = figures(await jobQueue.counts(), shipments, app.get(Sent).times, seen);
  console.log(`\n${show(found)}`);
  process.exitCode = isRight(found, PARCELS) ? 0 : 1;
} finally {
  await stop(consumer);
  await app.close();
  await broker.stop();
  await rm(folder, { recursive: true, force: true });
}

async function restart(crashed: Broker): Promise<void> {
  console.log(`  ${name} is killed (kill -9)`);
  await crashed.crash();
  await setTimeout(OUTAGE);
  await crashed.restart();
  console.log(`  ${name} is back`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}
