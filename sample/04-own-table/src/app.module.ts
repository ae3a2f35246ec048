import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { PersistentQueueModule } from 'nestjs-persistent-queue';
import { MailJobs } from './mail-jobs.js';

@Module({ providers: [MailJobs] })
export class AppModule {
  static for(url: string): DynamicModule {
    return {
      module: AppModule,
      imports: [
        TypeOrmModule.forRoot({ type: 'mariadb', url, charset: 'utf8mb4' }),
        PersistentQueueModule.forRoot({ serviceName: 'mail', synchronize: true, poll: { max: '200ms' } }),
      ],
    };
  }
}
