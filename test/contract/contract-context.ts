import { afterAll, afterEach, beforeAll } from '@jest/globals';
import type { DataSource } from 'typeorm';
import type { PersistentQueueOptions } from '../../lib/options/module-options.js';
import { QueueFixture } from '../support/queue-fixture.js';
import type { TestDatabase, TestSchema } from '../support/databases.js';

/** One database for a whole suite, and for each test a service of its own in it. */
export interface ContractContext {
  readonly database: TestDatabase;
  readonly schema: TestSchema;
  /** The application's DataSource. */
  readonly dataSource: DataSource;
  /** A queue of a fresh service, or of the service that the options name. Closed after the test. */
  open(options?: PersistentQueueOptions): Promise<QueueFixture>;
}

export function contractContext(database: TestDatabase): ContractContext {
  const opened: QueueFixture[] = [];
  let services = 0;
  const context = {
    database,
    async open(options: PersistentQueueOptions = {}) {
      const fixture = new QueueFixture(context.dataSource, { serviceName: `service-${++services}`, ...options });
      await fixture.repository.open();
      opened.push(fixture);
      return fixture;
    },
  } as ContractContext & { schema: TestSchema; dataSource: DataSource };

  beforeAll(async () => {
    context.schema = await database.create();
    context.dataSource = await context.schema.connect();
    await context.dataSource.query('CREATE TABLE purchase (id INTEGER PRIMARY KEY)');
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((fixture) => fixture.close()));
  });
  afterAll(async () => {
    await context.schema?.drop();
  });
  return context;
}
