import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { PersistentQueueModule } from 'nestjs-persistent-queue';
import { ClockJobs } from './clock-jobs.js';

@Module({ providers: [ClockJobs] })
export class AppModule {
  static for(database: string): DynamicModule {
    return {
      module: AppModule,
      imports: [
        TypeOrmModule.forRoot({ type: 'better-sqlite3', database, enableWAL: true, timeout: 0 }),
        PersistentQueueModule.forRoot({
          serviceName: 'clock',
          // Short, so that you see the jobs of a dead process run again after 3 s.
          lease: { duration: '3s', beat: '1s' },
          poll: { max: '200ms' },
        }),
      ],
    };
  }
}
