import { afterAll, afterEach, beforeAll, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import type { PersistentQueueOptions } from '../../lib/options/module-options.js';
import { QueueFixture, type FixtureParts, type FixtureTools } from '../support/queue-fixture.js';
import type { TestDatabase, TestSchema } from '../support/databases.js';

/** One database for a whole suite, and for each test a service of its own in it. */
export interface ContractContext {
  readonly database: TestDatabase;
  readonly schema: TestSchema;
  /** The application's DataSource. */
  readonly dataSource: DataSource;
  /** A queue of a fresh service, or of the service that the options name. Closed after the test. */
  open(options?: PersistentQueueOptions): Promise<QueueFixture>;
  /** Of what only SQL can set up or look at: skipped where our tables are not in the database. */
  readonly itWithSql: typeof it | typeof it.skip;
}

export function contractContext(
  database: TestDatabase,
  makeParts?: (tools: FixtureTools) => FixtureParts,
): ContractContext {
  const opened: QueueFixture[] = [];
  let services = 0;
  const context = {
    database,
    itWithSql: database.capabilities.sql ? it : it.skip,
    async open(options: PersistentQueueOptions = {}) {
      const fixture = new QueueFixture(
        context.dataSource,
        { serviceName: `service-${++services}`, ...options },
        makeParts,
      );
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
