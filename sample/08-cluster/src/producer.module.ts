import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { PersistentQueueModule } from 'nestjs-persistent-queue';
import { onOneOf } from './members.js';

/** It has no handlers and only enqueues; it starts first, and makes the tables of both. */
@Module({})
export class ProducerModule {
  static on(members: readonly string[]): DynamicModule {
    return {
      module: ProducerModule,
      imports: [
        TypeOrmModule.forRoot(onOneOf(members, true)),
        PersistentQueueModule.forRoot({ serviceName: 'shop', roles: ['enqueue'], synchronize: true }),
      ],
    };
  }
}
