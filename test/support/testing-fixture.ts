import { Logger, type DynamicModule, type ModuleMetadata, type Provider } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import type { PersistentQueueExtras, PersistentQueueOptions } from '../../lib/options/module-options.js';
import { PersistentQueueModule } from '../../lib/persistent-queue.module.js';
import { JobQueue } from '../../lib/queue/job-queue.js';
import { testQueue, usePersistentQueueTesting, type TestingOptions, type TestQueue } from '../../lib/testing/index.js';

export interface TestingFixture {
  readonly app: TestingModule;
  readonly jobQueue: JobQueue;
  readonly queue: TestQueue;
}

export interface TestingFixtureOptions extends Pick<ModuleMetadata, 'imports' | 'controllers'> {
  providers?: Provider[];
  queue?: PersistentQueueOptions & PersistentQueueExtras;
  testing?: TestingOptions;
  /** Instead of one queue module with the options of `queue`. */
  modules?: DynamicModule[];
}

const open: TestingModule[] = [];

/** An application that a user tests with the helper. */
export async function testedApp({
  queue,
  testing,
  modules,
  ...metadata
}: TestingFixtureOptions): Promise<TestingFixture> {
  const imports = [...(modules ?? [PersistentQueueModule.forRoot(queue)]), ...(metadata.imports ?? [])];
  const builder = Test.createTestingModule({ ...metadata, imports });
  const app = await usePersistentQueueTesting(builder, testing).compile();
  Logger.overrideLogger(false);
  await app.init();
  open.push(app);
  return { app, jobQueue: app.get(JobQueue), queue: testQueue(app, testing?.queue) };
}

export async function closeTestedApps(): Promise<void> {
  await Promise.all(open.splice(0).map((app) => app.close()));
}
