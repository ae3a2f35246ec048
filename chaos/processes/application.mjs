import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { PersistentQueueModule } from 'nestjs-persistent-queue';

/** What the run tells a process, as JSON in its first argument. */
export function readSettings() {
  return JSON.parse(process.argv[2]);
}

/** Nothing runs before `PersistentQueue.start()`. */
export function createApplication(database, queue, providers = []) {
  return NestFactory.createApplicationContext(
    {
      module: class ChaosModule {},
      imports: [
        TypeOrmModule.forRoot({ ...database, retryAttempts: 200, retryDelay: 250 }),
        PersistentQueueModule.forRoot({ autoStart: false, ...queue }),
      ],
      providers,
    },
    { logger: ['error', 'warn'] },
  );
}

/** A run that dies must not leave its processes behind. */
export function endWithParent() {
  process.on('disconnect', () => process.exit(0));
}
