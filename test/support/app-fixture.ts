import {
  Injectable,
  Logger,
  type DynamicModule,
  type INestApplicationContext,
  type ModuleMetadata,
  type Provider,
  type Type,
} from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { JobHandler, type JobHandlerDecoratorOptions } from '../../lib/handler/job-handler.decorator.js';
import type { JobContext } from '../../lib/job/job-context.js';
import type { Job } from '../../lib/job/job.js';
import type { JobState } from '../../lib/job/job-state.js';
import type { PersistentQueueExtras, PersistentQueueOptions } from '../../lib/options/module-options.js';
import { PersistentQueueModule } from '../../lib/persistent-queue.module.js';
import { PersistentQueue } from '../../lib/persistent-queue.js';
import { JobQueue } from '../../lib/queue/job-queue.js';
import type { TestSchema } from './databases.js';
import { waitUntil } from './wait-until.js';

/** A real application on a real database. */
export class AppFixture {
  constructor(readonly app: INestApplicationContext) {}

  get queue(): JobQueue {
    return this.app.get(JobQueue);
  }

  get dataSource(): DataSource {
    return this.app.get<DataSource>(getDataSourceToken());
  }

  /** Waits until the job is in one of the states. */
  readonly waitFor = async (id: string, ...states: JobState[]): Promise<Job> => {
    let job: Job | undefined;
    const arrived = await waitUntil(
      async () => {
        job = await this.queue.get(id);
        return job !== undefined && states.includes(job.state) ? job : undefined;
      },
      { describe: () => `job ${id} to be ${states.join(' or ')}; it is ${job?.state}` },
    );
    return arrived as Job;
  };

  /** For applications with `autoStart: false`. */
  start(): Promise<void> {
    return this.app.get(PersistentQueue).start();
  }

  close(): Promise<void> {
    return this.app.close();
  }
}

export interface AppOptions extends Pick<ModuleMetadata, 'controllers' | 'imports'> {
  providers?: Provider[];
  queue?: PersistentQueueOptions & PersistentQueueExtras;
  /** Instead of `TypeOrmModule.forRoot()` with the schema's options. */
  typeorm?: DynamicModule;
  /** Instead of one queue module with the options of `queue`. */
  modules?: DynamicModule[];
}

/** Settings that make tests fast: the behaviour is the same. */
export const QUICK = {
  synchronize: true,
  poll: { min: 5, max: 50 },
  // The thread's script is a file of the built library: test/process runs that.
  lease: { duration: 3_000, beat: 300, thread: false },
  connections: { max: 3 },
} satisfies PersistentQueueOptions;

export async function startApp(schema: TestSchema, options: AppOptions): Promise<AppFixture> {
  const app = await compileApp(schema, options);
  try {
    await app.init();
  } catch (error) {
    await app.close().catch(() => undefined);
    throw error;
  }
  return new AppFixture(app);
}

/** The same application before it has started. */
export async function compileApp(
  schema: TestSchema,
  { providers = [], imports = [], controllers = [], queue = {}, typeorm, modules }: AppOptions,
): Promise<TestingModule> {
  const app = await Test.createTestingModule({
    imports: [
      typeorm ?? TypeOrmModule.forRoot({ ...schema.options, retryAttempts: 0 }),
      ...(modules ?? [PersistentQueueModule.forRoot({ ...QUICK, ...queue })]),
      ...imports,
    ],
    providers,
    controllers,
  }).compile();
  Logger.overrideLogger(false);
  return app;
}

/** A provider whose one method handles the type by calling `work`. */
export function handler(
  type: string | number,
  work: (payload: never, job: JobContext) => unknown,
  options?: JobHandlerDecoratorOptions,
): Type {
  class Handler {
    handle(payload: never, job: JobContext): unknown {
      return work(payload, job);
    }
  }
  const descriptor = Object.getOwnPropertyDescriptor(Handler.prototype, 'handle') as PropertyDescriptor;
  JobHandler(type, options)(Handler.prototype, 'handle', descriptor);
  Injectable()(Handler);
  return Handler;
}
