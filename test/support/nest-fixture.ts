import { afterAll, afterEach, beforeAll } from '@jest/globals';
import type { Attempt } from '../../lib/job/attempt.js';
import type { Job } from '../../lib/job/job.js';
import type { EnqueueOptions } from '../../lib/queue/enqueue-options.js';
import { startApp, type AppFixture, type AppOptions } from './app-fixture.js';
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

  /** What an application of the test's own is given, to be the only one that sees its jobs. */
  get own(): { schema: TestSchema; serviceName: string } {
    if (this.schema === undefined) throw new Error('There is no SQLite to test with.');
    return { schema: this.schema, serviceName: `service-${++this.services}` };
  }

  async start(options: AppOptions): Promise<AppFixture> {
    const { schema, serviceName } = this.own;
    const app = await startApp(schema, { ...options, queue: { serviceName, ...options.queue } });
    this.opened.push(app);
    return app;
  }

  /** Runs one job to its end. */
  async run(type: string, payload: unknown = {}, options: EnqueueOptions = {}): Promise<RunJob> {
    const app = this.opened.at(-1);
    if (app === undefined) throw new Error('No application has been started.');
    const { id } = await app.queue.enqueue(type, payload, options);
    const job = await app.waitFor(id, 'succeeded', 'failed');
    return { ...job, history: await app.queue.history(id) };
  }
}
