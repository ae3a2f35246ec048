import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import type { Report } from './fulfil-order.js';

const [database = 'orders.sqlite'] = process.argv.slice(2);

const app = await NestFactory.createApplicationContext(AppModule.for(database, ['work', 'maintain']), {
  logger: ['error'],
});
app.enableShutdownHooks();

// The main process has gone: nobody else would stop this one.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.send?.({ ready: process.pid } satisfies Report);
