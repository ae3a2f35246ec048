import 'reflect-metadata';
import { setTimeout } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import { Operations } from 'nestjs-persistent-queue';
import { DataSource } from 'typeorm';
import { AppModule } from './app.module.js';
import { createDatabase, findServer, type Server } from './database.js';
import { MAIL, type Mail } from './mail-jobs.js';
import { insert, rows, type Row } from './table.js';

const WITHIN = 15_000;
const MAILS: readonly (Mail & { delay?: number; status: number })[] = [
  { to: 'ada@example.com', status: 1 },
  { to: 'nobody', status: 2 },
  { to: 'busy@example.com', status: 1 },
  { to: 'later@example.com', delay: 3, status: 1 },
];

const server = await findServer();
if (server === undefined) {
  console.error(
    'This sample needs MariaDB: install it (Debian: apt-get install mariadb-server-core mariadb-client-core),',
  );
  console.error(
    'or set MARIADB_URL to a server on which it may create a database, for example mysql://root@127.0.0.1:3306',
  );
  process.exitCode = 1;
} else {
  try {
    await show(server);
  } finally {
    await server.stop();
  }
}

async function show(on: Server): Promise<void> {
  const { url, drop } = await createDatabase(on);
  const app = await NestFactory.createApplicationContext(AppModule.for(url), { logger: ['error'] });
  try {
    const database = app.get(DataSource);
    for (const { to, delay } of MAILS) await insert(database, MAIL, { to }, delay);
    console.log(`${MAILS.length} rows in async_job_tab, one of them due in 3 s.\n`);
    const ended = await untilEnded(database);
    console.log('\nid  job_status  start_time  update_time  params');
    for (const row of ended) await print(row, app.get(Operations));
    process.exitCode = ended.every(({ job_status: status }, n) => status === MAILS[n]?.status) ? 0 : 1;
  } finally {
    await app.close();
    await drop();
  }
}

async function untilEnded(database: DataSource): Promise<Row[]> {
  for (const giveUpAt = Date.now() + WITHIN; ; await setTimeout(100)) {
    const found = await rows(database);
    if (Date.now() > giveUpAt || found.every(({ job_status: status }) => status !== 0)) return found;
  }
}

async function print(row: Row, operations: Operations): Promise<void> {
  const { id, params, job_status: status, start_time: start, update_time: update } = row;
  console.log(`${id.padEnd(4)}${String(status).padEnd(12)}${String(start).padEnd(12)}${update}   ${params}`);
  for (const { attempt, outcome, error } of await operations.history(MAIL, id))
    console.log(`      attempt ${attempt}: ${outcome}${error === undefined ? '' : `, ${error.message}`}`);
}
