import 'reflect-metadata';
import { Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { getDataSourceToken } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { QueueInspector } from '../inspection/queue-inspector.js';
import type { PersistentQueueOptions } from '../options/module-options.js';
import { PersistentQueueModule } from '../persistent-queue.module.js';
import { JobQueue } from '../queue/job-queue.js';
import { JobRepository } from '../repository/job-repository.js';
import { Schedules } from '../schedule/schedules.js';

/** What an application that only enqueues would have. */
export interface Services {
  readonly queue: JobQueue;
  readonly schedules: Schedules;
  readonly inspector: QueueInspector;
  readonly repository: JobRepository;
  close(): Promise<void>;
}

@Module({})
class DataSourceModule {
  static with(dataSource: DataSource): DynamicModule {
    const provider = { provide: getDataSourceToken(), useValue: dataSource };
    return { module: DataSourceModule, global: true, providers: [provider], exports: [provider] };
  }
}

/** An application that accepts jobs and runs none. Tables that are missing stay missing, on SQLite too. */
export async function startServices(dataSource: DataSource, options: PersistentQueueOptions): Promise<Services> {
  const queue = PersistentQueueModule.forRoot({ ...options, roles: ['enqueue'], autoStart: false, synchronize: false });
  const module = { module: class CommandLineModule {}, imports: [DataSourceModule.with(dataSource), queue] };
  const context = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
  return {
    queue: context.get(JobQueue),
    schedules: context.get(Schedules),
    inspector: context.get(QueueInspector),
    repository: context.get(JobRepository),
    close: () => context.close(),
  };
}
