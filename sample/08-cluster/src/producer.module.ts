import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { PersistentQueueModule } from 'nestjs-persistent-queue';
import { onFirstOf, type Members } from './members.js';

/** It has no handlers and only enqueues; it starts first, and makes the tables of both. */
@Module({})
export class ProducerModule {
  static on(members: Members): DynamicModule {
    return {
      module: ProducerModule,
      imports: [
        TypeOrmModule.forRoot(onFirstOf(members, true)),
        PersistentQueueModule.forRoot({ serviceName: 'shop', roles: ['enqueue'], synchronize: true }),
      ],
    };
  }
}
