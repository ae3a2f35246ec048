import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { BUSY_RETRY } from '../../lib/typeorm/busy-retry.js';
import { retryRolledBack } from '../../lib/typeorm/retry-rolled-back.js';
import { startApp, type AppFixture, type AppOptions } from './app-fixture.js';
import type { TestDatabase, TestSchema } from './databases.js';

/** Applications on one database, closed after each test: those of one test belong to one service, which no other test has. */
export class NodesOn {
  private schema!: TestSchema;
  private readonly apps: AppFixture[] = [];
  private services = 0;

  /** To be made inside of a `describe`. */
  constructor(database: TestDatabase) {
    beforeAll(async () => {
      this.schema = await database.create();
    });
    afterEach(async () => {
      await Promise.all(this.apps.splice(0).map((app) => app.close()));
      this.services++;
    });
    afterAll(() => this.schema.drop());
  }

  get service(): string {
    return `service-${this.services}`;
  }

  async start(options: AppOptions = {}): Promise<AppFixture> {
    const app = await startApp(this.schema, { ...options, queue: { serviceName: this.service, ...options.queue } });
    this.apps.push(app);
    return app;
  }

  /** As the application would, on its own connection; on SQLite, when nobody else writes. */
  readonly sql = <Row = unknown>({ dataSource }: AppFixture, text: string): Promise<Row[]> =>
    retryRolledBack(BUSY_RETRY, () => dataSource.query<Row[]>(text));
}

/** How many jobs of the service are in the state. */
export async function countIn({ queue }: AppFixture, state: string): Promise<number> {
  const counts = (await queue.counts()).filter((each) => each.state === state);
  return counts.reduce((sum, { count }) => sum + count, 0);
}

/** Requests of so many jobs, numbered. */
export function numbered(count: number): { payload: number }[] {
  return Array.from({ length: count }, (_, payload) => ({ payload }));
}
