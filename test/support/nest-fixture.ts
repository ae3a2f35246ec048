import type { INestApplication } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import type { Attempt } from '../../lib/job/attempt.js';
import type { JobSteps } from '../../lib/job/step.js';
import type { Job } from '../../lib/job/job.js';
import type { EnqueueOptions } from '../../lib/queue/enqueue-options.js';
import { AppFixture, compileApp, startApp, type AppOptions } from './app-fixture.js';
import { databases, type TestSchema } from './databases.js';

export interface RunJob extends Job {
  readonly history: Attempt[];
}

/** Applications on SQLite, closed after each test: what Nest does with a handler does not depend on the database. */
export class NestFixture {
  private schema: TestSchema | undefined;
  private readonly opened: AppFixture[] = [];
  private services = 0;

  constructor() {
    beforeAll(async () => {
      const sqlite = databases().find(({ name }) => name === 'sqlite');
      this.schema = await sqlite?.create();
    });
    afterEach(async () => {
      for (const app of this.opened.splice(0)) await app.close();
    });
    afterAll(() => this.schema?.drop());
  }

  async start(options: AppOptions): Promise<AppFixture> {
    const app = await startApp(this.sqlite, this.alone(options));
    this.opened.push(app);
    return app;
  }

  /** The same, which listens for requests too. Answers where. `prepare`: what a `main.ts` does before. */
  async listen(options: AppOptions, prepare: (app: INestApplication) => void = () => undefined): Promise<string> {
    const module = await compileApp(this.sqlite, this.alone(options));
    const app = module.createNestApplication(new ExpressAdapter());
    this.opened.push(new AppFixture(app));
    prepare(app);
    await app.listen(0, '127.0.0.1');
    return app.getUrl();
  }

  /** Runs one job to its end. */
  async run(type: string, payload: unknown = {}, options: EnqueueOptions = {}): Promise<RunJob> {
    const { id } = await this.app.queue.enqueue(type, payload, options);
    return this.ended(id);
  }

  /** Waits for the end of a job that the application has enqueued itself. */
  async ended(id: string): Promise<RunJob> {
    const job = await this.app.waitFor(id, 'succeeded', 'failed');
    return { ...job, history: await this.app.queue.history(id) };
  }

  async stepsOf(id: string): Promise<JobSteps> {
    return this.app.queue.steps(id);
  }

  private get app(): AppFixture {
    const app = this.opened.at(-1);
    if (app === undefined) throw new Error('No application has been started.');
    return app;
  }

  private get sqlite(): TestSchema {
    if (this.schema === undefined) throw new Error('There is no SQLite to test with.');
    return this.schema;
  }

  /** The only application that sees its jobs. */
  private alone(options: AppOptions): AppOptions {
    return { ...options, queue: { serviceName: `service-${++this.services}`, ...options.queue } };
  }
}
