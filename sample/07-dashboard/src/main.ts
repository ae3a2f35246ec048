import 'reflect-metadata';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import { JobQueue } from 'nestjs-persistent-queue';
import { AppModule } from './app.module.js';
import { Dashboard } from './dashboard.js';
import { CardTerminal } from './shop-jobs.js';
import { fill, walk } from './walk.js';

const stays = process.argv.includes('--stay');
const folder = await mkdtemp(join(tmpdir(), 'dashboard-'));
const app = await NestFactory.create(AppModule.for(join(folder, 'shop.sqlite')), { logger: ['error'] });

try {
  // Only this machine reaches it.
  await app.listen(Number(process.env['PORT'] ?? 0), '127.0.0.1');
  const url = `${await app.getUrl()}/queues`;
  const jobs = await fill(app.get(JobQueue));
  console.log(`The dashboard: ${url}   its own page: ${url}/inspect   (staff, at-3-am)`);
  if (stays) {
    console.log('It stays until you press Ctrl+C.');
    await once(process, 'SIGINT');
  } else {
    const isRight = await walk(new Dashboard(url), jobs, app.get(CardTerminal));
    process.exitCode = isRight ? 0 : 1;
  }
} finally {
  await app.close();
  await rm(folder, { recursive: true, force: true });
}
