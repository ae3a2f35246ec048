import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { JobQueue } from 'nestjs-persistent-queue';
import { AppModule } from './app.module.js';
import { tell } from './clock-jobs.js';

const [database = 'clock.sqlite'] = process.argv.slice(2);

const app = await NestFactory.createApplicationContext(AppModule.for(database), { logger: ['error'] });
app.enableShutdownHooks();
// Whoever started this process has gone: nobody else would stop it.
process.once('disconnect', () => process.exit());

app.get(JobQueue).events$.subscribe((event) => {
  if (event.name !== 'schedule.fired') return;
  tell({ what: 'fired', key: `${event.schedule}@${event.fireTime.toISOString()}` });
});
tell({ ready: true });
