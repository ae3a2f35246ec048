import 'reflect-metadata';
import { setTimeout } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { JobHandler, PersistentQueueModule, type JobContext } from 'nestjs-persistent-queue';
import { onFirstOf } from './members.js';
import { SHIP } from './orders.js';
import { Shipment } from './shipment.entity.js';

const [worker = '0', port, ...addresses] = process.argv.slice(2);

class Shipping {
  /** The shipment and the end of the job are one commit: a job that runs twice, because its member has died, ships once. */
  @JobHandler(SHIP, { concurrency: 4, maxRetries: 20, waitTime: '500ms' })
  async ship({ order }: { order: number }, job: JobContext): Promise<void> {
    await setTimeout(20 + Math.random() * 60);
    await job.transaction(async (manager) => {
      const [{ member }] = await manager.query<[{ member: string }]>('SELECT @@wsrep_node_name AS member');
      await manager.insert(Shipment, { order, worker: Number(worker), member, at: Date.now() });
    });
  }
}

@Module({
  imports: [
    TypeOrmModule.forRoot(onFirstOf({ addresses, port: Number(port) }, false)),
    PersistentQueueModule.forRoot({
      serviceName: 'shop',
      roles: ['work', 'maintain'],
      poll: { max: '200ms' },
      // A connection that a function makes cannot be handed to the heartbeat's thread.
      lease: { thread: false },
    }),
  ],
  providers: [Shipping],
})
class WorkerModule {}

const app = await NestFactory.createApplicationContext(WorkerModule, { logger: ['fatal'] });
app.enableShutdownHooks();
// The main process has gone: nobody else would stop this one.
process.once('disconnect', () => process.exit());
process.send?.('ready');
