import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { InjectDataSource, TypeOrmModule } from '@nestjs/typeorm';
import {
  JobHandler,
  PersistentQueueModule,
  type JobContext,
  type PersistentQueueOptions,
} from 'nestjs-persistent-queue';
import { setTimeout as pause } from 'node:timers/promises';
import type { DataSource, DataSourceOptions } from 'typeorm';
import { sqliteDriver } from './sqlite-driver.js';

/** What the test tells a process, as JSON in its first argument. */
export interface LimitedSettings {
  database: DataSourceOptions;
  queue: PersistentQueueOptions;
  /** Running jobs of one tenant, in all processes together. */
  limit: number;
  /** Whether handlers write into the ledger that they have begun and ended. */
  ledger: boolean;
}

export interface TenantPayload {
  tenant: string;
  ms: number;
}

const settings = JSON.parse(process.argv[2] ?? '') as LimitedSettings;
// A test that dies must not leave its processes behind.
process.on('disconnect', () => process.exit(1));

const connection =
  settings.database.type === 'better-sqlite3'
    ? { ...settings.database, driver: await sqliteDriver() }
    : settings.database;
const ALIKE = { maxRetries: 0, maxCrashes: 1_000 };

@Injectable()
class Handlers {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  @JobHandler('keyed', {
    ...ALIKE,
    concurrencyKey: { from: ({ tenant }: TenantPayload) => tenant, limit: settings.limit },
  })
  keyed(payload: TenantPayload, job: JobContext): Promise<void> {
    return this.work(payload, job);
  }

  @JobHandler('free', ALIKE)
  free(payload: TenantPayload, job: JobContext): Promise<void> {
    return this.work(payload, job);
  }

  private async work(payload: TenantPayload, job: JobContext): Promise<void> {
    if (settings.ledger) await this.write('begun', payload, job);
    if (payload.ms > 0) await pause(payload.ms);
    if (settings.ledger) await this.write('ended', payload, job);
  }

  private async write(what: string, payload: TenantPayload, job: JobContext): Promise<void> {
    try {
      await this.dataSource.query(
        `INSERT INTO entry (what, job_id, fence, tenant, pid) VALUES ('${what}', ${job.id}, ${job.delivery}, '${payload.tenant}', ${process.pid})`,
      );
    } catch (error) {
      if (!String(error).includes('database is locked')) throw error;
      await pause(1 + Math.random() * 5);
      return this.write(what, payload, job);
    }
  }
}

@Module({
  imports: [TypeOrmModule.forRoot(connection), PersistentQueueModule.forRoot(settings.queue)],
  providers: [Handlers],
})
class LimitedModule {}

await NestFactory.createApplicationContext(LimitedModule, {
  logger: process.env['PQ_TEST_LOG'] === undefined ? false : ['error', 'warn', 'debug'],
});
process.send?.('ready');
