import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, EventPattern, Payload, RmqContext } from '@nestjs/microservices';
import { TypeOrmModule } from '@nestjs/typeorm';
import { JobQueue, PersistentQueueModule } from 'nestjs-persistent-queue';
import { setTimeout } from 'node:timers/promises';
import { consumingFrom, SHIP, type Shipping } from './broker.js';
import { databaseIn, Shipment } from './database.js';

/** What it tells the one that has started it. */
export type Report = 'ready' | 'shipped' | 'late';

const [file = '', broker = ''] = process.argv.slice(2);

const tell = (report: Report) => void process.send?.(report);

@Controller()
class Consumer {
  constructor(private readonly jobQueue: JobQueue) {}

  @EventPattern(SHIP)
  async take(@Payload() shipping: Shipping, @Ctx() context: unknown): Promise<void> {
    await setTimeout(20 + Math.random() * 80);
    tell((await this.ship(shipping)) ? 'shipped' : 'late');
    if (context instanceof RmqContext) context.getChannelRef().ack(context.getMessage());
  }

  /** The shipment and the end of its job are one commit: a message that comes twice ships once. */
  private ship({ parcel, job, delivery }: Shipping): Promise<boolean> {
    return this.jobQueue.transaction(async (manager) => {
      const { accepted } = await this.jobQueue.finish(job, { delivery, manager });
      if (accepted) await manager.insert(Shipment, { parcel });
      return accepted;
    });
  }
}

/** The other application: it has no handlers, and only acknowledges. */
@Module({
  imports: [
    TypeOrmModule.forRoot(databaseIn(file, false)),
    PersistentQueueModule.forRoot({ serviceName: 'shop', roles: ['enqueue'] }),
  ],
  controllers: [Consumer],
})
class ConsumerModule {}

const app = await NestFactory.createMicroservice(ConsumerModule, { ...consumingFrom(broker), logger: ['fatal'] });
app.enableShutdownHooks();
// The main process has gone: nobody else would stop this one.
process.once('disconnect', () => process.exit());
await app.listen();
tell('ready');
