import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, EventPattern, Payload, RmqContext } from '@nestjs/microservices';
import { InjectDataSource, TypeOrmModule } from '@nestjs/typeorm';
import { JobQueue, PersistentQueueModule } from 'nestjs-persistent-queue';
import pLimit from 'p-limit';
import type { DataSource, DataSourceOptions } from 'typeorm';
import { consumingFrom, PATTERN, type Relayed } from './broker-options.js';

/** What the test tells a process that consumes relayed jobs, as JSON in its first argument. */
export interface ConsumerSettings {
  database: DataSourceOptions;
  broker: string;
}

/** What it tells the test. `accepted`: whether its acknowledgement has ended the job. */
export type ConsumerMessage = { ready: number } | { handled: string; accepted: boolean };

const tell = (message: ConsumerMessage) => process.send?.(message);
const settings = JSON.parse(process.argv[2] ?? '') as ConsumerSettings;

/** With Redis everything that arrives would be begun at once, and be half done when the process dies. */
const inTurn = pLimit(50);

@Controller()
class Consumer {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly jobQueue: JobQueue,
  ) {}

  @EventPattern(PATTERN)
  ship(@Payload() message: Relayed, @Ctx() context: unknown): Promise<void> {
    return inTurn(() => this.shipNow(message, context));
  }

  /** The effect, and only then the acknowledgements: of the job in the database, of the message at the broker. */
  private async shipNow({ id, delivery }: Relayed, context: unknown): Promise<void> {
    const entry = `${Number(id)}, ${delivery}, ${process.pid}`;
    await this.dataSource.query(`INSERT INTO parcel (job_id, delivery, pid) VALUES (${entry})`);
    const { accepted } = await this.jobQueue.finish(id, { delivery });
    if (context instanceof RmqContext) context.getChannelRef().ack(context.getMessage());
    tell({ handled: id, accepted });
  }
}

@Module({
  imports: [TypeOrmModule.forRoot(settings.database), PersistentQueueModule.forRoot({ roles: ['enqueue'] })],
  controllers: [Consumer],
})
class ConsumerModule {}

const app = await NestFactory.createMicroservice(ConsumerModule, { ...consumingFrom(settings.broker), logger: false });
// A test that dies must not leave its processes behind.
process.on('disconnect', () => process.exit(1));
await app.listen();
tell({ ready: process.pid });
