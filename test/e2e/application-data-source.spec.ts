import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { handler, startApp, type AppFixture } from '../support/app-fixture.js';
import { databases, type TestSchema } from '../support/databases.js';

type Factory = (options: DataSourceOptions | undefined) => Promise<DataSource>;

/** As applications have it, to bring along what they need. */
class TenantDataSource extends DataSource {
  override createQueryRunner(...mode: Parameters<DataSource['createQueryRunner']>) {
    return super.createQueryRunner(...mode);
  }
}

describe.each(databases())('an application on $name that makes its DataSource itself', (database) => {
  let schema: TestSchema;
  let fixture: AppFixture | undefined;
  beforeAll(async () => {
    schema = await database.create();
  });
  afterEach(async () => {
    await fixture?.close();
    fixture = undefined;
  });
  afterAll(() => schema.drop());

  async function start(dataSourceFactory: Factory, options: object = {}): Promise<AppFixture> {
    const useFactory = async () => ({ ...schema.options, ...options, retryAttempts: 0 });
    const typeorm = TypeOrmModule.forRootAsync({ useFactory, dataSourceFactory });
    return startApp(schema, { typeorm, providers: [handler('t', () => 'done')] });
  }

  const open = async (options: DataSourceOptions | undefined) => new DataSource(options!).initialize();

  it.each<[string, Factory]>([
    ['opened', open],
    ['not opened yet', async (options) => new DataSource(options!)],
    ['of a class of its own', async (options) => new TenantDataSource(options!).initialize()],
    [
      'with options that are changed before it is opened',
      async (options) => new DataSource(options!).setOptions({ entityPrefix: 'shop_', synchronize: true }).initialize(),
    ],
    [
      'with options that are changed after it was opened',
      async (options) =>
        (await open(options)).setOptions({ type: options!.type, entityPrefix: 'x_', dropSchema: true }),
    ],
  ])('runs its jobs: %s', async (_, dataSourceFactory) => {
    fixture = await start(dataSourceFactory);
    const { queue, dataSource } = fixture;
    const { id } = await queue.enqueue('t');
    const other = await queue.transaction((manager) => queue.enqueue('t', null, { manager }));
    expect((await fixture.waitFor(id, 'succeeded')).result).toBe('done');
    await fixture.waitFor(other.id, 'succeeded');
    expect(dataSource.isInitialized).toBe(true);
  });

  if (database.name !== 'sqlite') {
    it('runs its jobs while the application has not opened it: manualInitialization', async () => {
      fixture = await start(async (options) => new DataSource(options!), { manualInitialization: true });
      expect(fixture.dataSource.isInitialized).toBe(false);
      const { id } = await fixture.queue.enqueue('t');
      await fixture.waitFor(id, 'succeeded');
    });

    it('is told by the database’s own error when there is no way to it', async () => {
      const nowhere = { url: undefined, host: '127.0.0.1', port: 1, username: 'nobody' };
      const starting = start(async (options) => new DataSource(options!), { ...nowhere, manualInitialization: true });
      await expect(starting).rejects.toThrow(/ECONNREFUSED/);
    });
  }
});
