import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';

const [database = 'shop.sqlite'] = process.argv.slice(2);

const app = await NestFactory.createApplicationContext(AppModule.for(database, ['work', 'maintain']), {
  logger: ['error'],
});

// On SIGTERM the running handlers end first. Without this line a stop would look like a crash to their jobs.
app.enableShutdownHooks();

// The director has gone: nobody else would stop this process.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
