import 'reflect-metadata';
import { Inject, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientsModule, type ClientProxy } from '@nestjs/microservices';
import { TypeOrmModule } from '@nestjs/typeorm';
import { JobHandler, JobQueue, PersistentQueueModule, type JobContext } from 'nestjs-persistent-queue';
import { defer, retry, tap, type Observable } from 'rxjs';
import type { DataSourceOptions } from 'typeorm';
import { PATTERN, sendingTo, type Relayed } from './broker-options.js';

/** What the test tells a process that relays jobs, as JSON in its first argument. */
export interface SenderSettings {
  database: DataSourceOptions;
  broker: string;
  /** For how long a consumer may have a job, in milliseconds. */
  ackTimeout: number;
}

/** What it tells the test. `refused`: what a send has failed with; the job is tried again. */
export type SenderMessage = { ready: number } | { sent: string } | { refused: string };

const tell = (message: SenderMessage) => process.send?.(message);
const settings = JSON.parse(process.argv[2] ?? '') as SenderSettings;
const BROKER = 'broker';

@Injectable()
class ParcelRelay {
  constructor(@Inject(BROKER) private readonly broker: ClientProxy) {}

  /** As long as the broker is away a hundred jobs try, and the others wait untouched. */
  @JobHandler(PATTERN, {
    ack: 'manual',
    ackTimeout: settings.ackTimeout,
    timeout: '10s',
    maxRetries: Infinity,
    waitTime: '1s',
  })
  ship(_: unknown, { id, delivery }: JobContext): Observable<void> {
    const message: Relayed = { id, delivery };
    return defer(() => this.broker.emit<void>(PATTERN, message)).pipe(
      retry({ count: 4, delay: 500 }),
      tap({ complete: () => tell({ sent: id }) }),
    );
  }
}

@Module({
  imports: [
    TypeOrmModule.forRoot(settings.database),
    PersistentQueueModule.forRoot({}),
    ClientsModule.register([{ name: BROKER, ...sendingTo(settings.broker) }]),
  ],
  providers: [ParcelRelay],
})
class SenderModule {}

const app = await NestFactory.createApplicationContext(SenderModule, { logger: false });
// A test that dies must not leave its processes behind.
process.on('disconnect', () => process.exit(1));
app.get(JobQueue).events$.subscribe((event) => {
  if (event.name === 'job.retried') tell({ refused: event.error });
});
tell({ ready: process.pid });
