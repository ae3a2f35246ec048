import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { InvalidJobError } from '../../lib/errors/invalid-job.error.js';
import { handler, startApp, type AppFixture } from '../support/app-fixture.js';
import { databases, type TestSchema } from '../support/databases.js';
import { QueueFixture } from '../support/queue-fixture.js';
import { endSessionsBeside, sessionsBeside } from '../support/sessions.js';
import { waitUntil } from '../support/wait-until.js';

const servers = databases().filter(({ name }) => name !== 'sqlite');

/** The "replica" is a database of its own that takes writes: what lands there shows. */
describe.each(servers)('a replicated DataSource on $name', (database) => {
  let master: TestSchema;
  let replica: TestSchema;
  let onMaster: DataSource;
  let onReplica: DataSource;
  let fixture: AppFixture | undefined;
  beforeAll(async () => {
    master = await database.create();
    replica = await database.create();
    onMaster = await master.connect();
    onReplica = await replica.connect();
    // Where a job that goes astray would be written without an error.
    const tables = new QueueFixture(onReplica, {});
    await tables.repository.open();
    await tables.close();
  });
  afterEach(async () => {
    await fixture?.close();
    fixture = undefined;
    await waitUntil(async () => (await sessionsBeside(onReplica)).length === 0);
  });
  afterAll(async () => {
    await master.drop();
    await replica.drop();
  });

  const urlOf = ({ options }: TestSchema) => (options as { url: string }).url;
  const options = (replication: object = {}) => ({
    type: database.name,
    poolSize: 2,
    replication: {
      master: { url: urlOf(master) },
      slaves: [{ url: urlOf(replica) }],
      defaultMode: 'slave',
      ...replication,
    },
  });
  const start = (providers: Parameters<typeof startApp>[1]['providers'] = []) =>
    startApp({ ...master, options: options() as never }, { providers });

  it('has its jobs on the master, in and outside of transactions, and none on the replica', async () => {
    fixture = await start([handler('t', () => 'done')]);
    const { queue, dataSource } = fixture;
    const jobs = [
      await queue.enqueue('t'),
      await queue.enqueue('t', null, { manager: dataSource.manager }),
      await queue.transaction((manager) => queue.enqueue('t', null, { manager })),
      await dataSource.transaction((manager) => queue.enqueue('t', null, { manager })),
    ];
    for (const { id } of jobs) expect((await fixture.waitFor(id, 'succeeded')).result).toBe('done');
    expect(await onMaster.query('SELECT id FROM pq_job')).toHaveLength(jobs.length);
    expect(await onReplica.query('SELECT id FROM pq_job')).toEqual([]);
    expect(await onReplica.query('SELECT id FROM pq_node')).toEqual([]);
  });

  it('has no connection of ours to the replica', async () => {
    const closed = new DataSource(options() as never);
    const queue = new QueueFixture(closed, {});
    await queue.repository.open();
    await queue.queue.enqueue('t');
    expect(await sessionsBeside(onMaster)).toHaveLength(1);
    expect(await sessionsBeside(onReplica)).toEqual([]);
    await queue.close();
  });

  it('refuses the manager of a connection to the replica', async () => {
    fixture = await start();
    const { queue, dataSource } = fixture;
    const runner = dataSource.createQueryRunner('slave');
    try {
      await runner.startTransaction();
      const enqueuing = queue.enqueue('t', null, { manager: runner.manager });
      await expect(enqueuing).rejects.toThrow(InvalidJobError);
      await expect(enqueuing).rejects.toThrow(/mode 'slave'.*createQueryRunner\('master'\)/);
      await expect(queue.enqueue('t', null, { manager: runner })).rejects.toThrow(InvalidJobError);
      await runner.rollbackTransaction();
    } finally {
      await runner.release();
    }
    expect(await onReplica.query('SELECT id FROM pq_job')).toEqual([]);
  });

  it('keeps its master however often the connections to it are lost', async () => {
    const closed = new DataSource(options({ removeNodeErrorCount: 1 }) as never);
    const { queue, repository, close } = new QueueFixture(closed, {});
    await repository.open();
    for (let n = 0; n < 7; n++) {
      await endSessionsBeside(onMaster);
      await waitUntil(() => queue.enqueue('t').catch(() => undefined), { describe: `an enqueue after loss ${n}` });
    }
    await close();
  });
});
