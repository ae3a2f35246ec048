import { afterAll, afterEach, beforeAll, describe } from '@jest/globals';
import { DataSource, type DataSourceOptions } from 'typeorm';
import type { JobContext } from '../../lib/job/job-context.js';
import type { PersistentQueueOptions } from '../../lib/options/module-options.js';
import { handler, startApp, type AppFixture } from './app-fixture.js';
import { findGalera } from './binaries.mjs';
import { databaseOn, type TestSchema } from './databases.js';
import { startGalera, type Galera } from './galera.mjs';
import { QueueFixture } from './queue-fixture.js';

export const MEMBERS = [0, 1, 2];
/** Its installation, four starts and the tables, on a busy machine. */
const CLUSTER_MS = 180_000;

/** Tests on a cluster of three members, which is started once for all of them. */
export function describeGalera(subject: string, tests: (galera: GaleraFixture) => void): void {
  if (findGalera() === undefined)
    console.warn('NOT TESTED: a Galera cluster. Install it (Debian: galera-4, and rsync, for mariadb-server).');

  (findGalera() === undefined ? describe.skip : describe)(subject, () => {
    const galera = new GaleraFixture();
    beforeAll(() => galera.open(), CLUSTER_MS);
    afterEach(() => galera.closeAll());
    afterAll(() => galera.stop());
    tests(galera);
  });
}

export class GaleraFixture {
  /** Of this test, without a worker. */
  readonly queues: QueueFixture[] = [];
  private readonly apps: AppFixture[] = [];
  private services = 0;
  private opened: { readonly cluster: Galera; schema?: TestSchema } | undefined;

  get cluster(): Galera {
    return this.opened?.cluster as Galera;
  }

  get schema(): TestSchema {
    return this.opened?.schema as TestSchema;
  }

  async open(): Promise<void> {
    const cluster = (await startGalera()) as Galera;
    this.opened = { cluster };
    const schema = await databaseOn('mariadb', cluster.members[0]!.url).create();
    this.opened.schema = schema;
    const tables = new QueueFixture(await schema.connect(), {});
    await tables.repository.open();
    await tables.close();
    await (await schema.connect()).query('CREATE TABLE effect (id BIGINT AUTO_INCREMENT PRIMARY KEY, note INT)');
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.apps.splice(0).map((app) => app.close()));
    const closing = this.queues.splice(0);
    await Promise.all(closing.map((queue) => queue.close()));
    await Promise.all(closing.map(({ dataSource }) => dataSource.destroy()));
  }

  /** Also what has been left by an `open()` that failed. */
  async stop(): Promise<void> {
    try {
      await this.opened?.schema?.drop();
    } finally {
      await this.opened?.cluster.stop();
    }
  }

  /** What the test before has left does not disturb this one. */
  nextService(): void {
    this.services++;
  }

  /** The options of an application that is connected to this member. */
  on(member: number): DataSourceOptions {
    const url = new URL((this.schema.options as { url: string }).url);
    url.hostname = this.cluster.members[member]!.host;
    return { ...this.schema.options, url: url.href } as DataSourceOptions;
  }

  async start(options: DataSourceOptions, work?: (payload: never, job: JobContext) => unknown): Promise<AppFixture> {
    const providers = work === undefined ? [] : [handler('work', work)];
    const app = await startApp({ ...this.schema, options }, { providers, queue: this.ofService() });
    this.apps.push(app);
    return app;
  }

  /** A queue without a worker, on each member. */
  async onEach(queue: PersistentQueueOptions = {}): Promise<QueueFixture[]> {
    for (const member of MEMBERS) {
      const dataSource = await new DataSource(this.on(member)).initialize();
      const fixture = new QueueFixture(dataSource, { ...this.ofService(), ...queue });
      this.queues.push(fixture);
      await fixture.repository.open();
    }
    return [...this.queues];
  }

  private ofService(): PersistentQueueOptions {
    return { serviceName: `service-${this.services}`, synchronize: false };
  }
}
