import { afterAll, beforeAll } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { examine } from '../../lib/doctor/examine.js';
import type { Finding } from '../../lib/doctor/finding.js';
import { tableNames } from '../../lib/typeorm/schema/tables.js';
import type { TestDatabase, TestSchema } from './databases.js';
import { QueueFixture } from './queue-fixture.js';

/** What the doctor finds in a database of its own, with our tables. */
export class DoctorFixture {
  schema!: TestSchema;
  queue!: QueueFixture;
  readonly service = 'patient';
  private prefixes = 0;

  /** To be made inside of a `describe`. */
  constructor(readonly database: TestDatabase) {
    beforeAll(async () => {
      this.schema = await database.create();
      this.queue = new QueueFixture(await this.schema.connect(), { serviceName: this.service });
      await this.queue.repository.open();
    });
    afterAll(async () => {
      await this.queue.close();
      await this.schema.drop();
    });
  }

  get dataSource(): DataSource {
    return this.queue.dataSource;
  }

  get sql(): QueueFixture['sql'] {
    return this.queue.sql;
  }

  readonly examine = (dataSource = this.dataSource, tablePrefix = 'pq_'): Promise<Finding[]> =>
    examine(dataSource, { serviceName: this.service, tablePrefix });

  /** `level: message` of each finding of one check. */
  readonly look = async (check: string, dataSource?: DataSource, tablePrefix?: string): Promise<string[]> =>
    (await this.examine(dataSource, tablePrefix))
      .filter((finding) => finding.check === check)
      .map(({ level, message }) => `${level}: ${message}`);

  /** Tables of their own, to be damaged: answers their prefix. */
  async install(): Promise<string> {
    const tablePrefix = `p${++this.prefixes}_`;
    const { repository, close } = new QueueFixture(this.dataSource, { serviceName: this.service, tablePrefix });
    await repository.open();
    await close();
    return tablePrefix;
  }

  /** What is left of them. */
  async dropTables(prefix: string): Promise<void> {
    for (const table of Object.values(tableNames(prefix))) await this.sql(`DROP TABLE IF EXISTS ${table}`);
  }
}
