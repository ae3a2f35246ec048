import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { DataSource, type DataSourceOptions, type EntityManager } from 'typeorm';
import type { QueueEvent } from '../../lib/events/queue-event.js';
import type { JobContext } from '../../lib/job/job-context.js';
import type { PersistentQueueOptions } from '../../lib/options/module-options.js';
import { handler, startApp, type AppFixture } from '../support/app-fixture.js';
import { Schedules } from '../../lib/schedule/schedules.js';
import { findGalera } from '../support/binaries.mjs';
import { databaseOn, type TestSchema } from '../support/databases.js';
import { startGalera, type Galera } from '../support/galera.mjs';
import { QueueFixture } from '../support/queue-fixture.js';
import { deferred, waitUntil } from '../support/wait-until.js';

const NAMES = ['first', 'second', 'third'];
/** How long a member takes to be left out by the others, or to come back, on a busy machine. */
const CLUSTER_MS = 60_000;

if (findGalera() === undefined)
  console.warn('NOT TESTED: a Galera cluster. Install it (Debian: galera-4, and rsync, for mariadb-server).');

(findGalera() === undefined ? describe.skip : describe)('a Galera cluster of three', () => {
  let cluster: Galera;
  let schema: TestSchema;
  const apps: AppFixture[] = [];
  const queues: QueueFixture[] = [];
  let services = 0;
  beforeAll(async () => {
    cluster = (await startGalera()) as Galera;
    schema = await databaseOn('mariadb', cluster.members[0]!.url).create();
    const tables = new QueueFixture(await schema.connect(), {});
    await tables.repository.open();
    await tables.close();
    await (await schema.connect()).query('CREATE TABLE effect (id BIGINT AUTO_INCREMENT PRIMARY KEY, note INT)');
  }, CLUSTER_MS);
  afterEach(async () => {
    await Promise.all(apps.splice(0).map((app) => app.close()));
    const closing = queues.splice(0);
    await Promise.all(closing.map((queue) => queue.close()));
    await Promise.all(closing.map(({ dataSource }) => dataSource.destroy()));
  });
  afterAll(async () => {
    await schema.drop();
    await cluster.stop();
  });

  /** The options of an application that is connected to this member. */
  function on(member: number): DataSourceOptions {
    const url = new URL((schema.options as { url: string }).url);
    url.hostname = cluster.members[member]!.host;
    return { ...schema.options, url: url.href } as DataSourceOptions;
  }

  async function start(
    options: DataSourceOptions,
    work?: (payload: never, job: JobContext) => unknown,
    queue: PersistentQueueOptions = {},
  ): Promise<AppFixture> {
    const providers = work === undefined ? [] : [handler('work', work)];
    const app = await startApp(
      { ...schema, options },
      { providers, queue: { serviceName: `service-${services}`, synchronize: false, ...queue } },
    );
    apps.push(app);
    return app;
  }

  /** A queue without a worker, on each member. */
  async function onEach(): Promise<QueueFixture[]> {
    for (const member of NAMES.keys()) {
      const dataSource = await new DataSource(on(member)).initialize();
      const queue = new QueueFixture(dataSource, { serviceName: `service-${services}`, synchronize: false });
      queues.push(queue);
      await queue.repository.open();
    }
    return [...queues];
  }

  it('runs each job once on workers of all members, though their claims collide, under the id that was answered', async () => {
    services++;
    const runs: string[] = [];
    const events: QueueEvent[] = [];
    const all = await Promise.all(
      NAMES.map((_, member) => start(on(member), (_payload, job) => void runs.push(job.id))),
    );
    for (const { queue } of all) queue.events$.subscribe((event) => void events.push(event));
    const enqueued = await Promise.all(
      all.flatMap(({ queue }) => Array.from({ length: 30 }, () => queue.enqueue('work'))),
    );
    for (let round = 0; round < 20; round++) {
      const more = await Promise.all(all.map(({ queue }) => queue.enqueue('work')));
      enqueued.push(...more);
    }
    const ids = enqueued.map(({ id }) => id);
    for (const id of ids) expect((await all[0]!.waitFor(id, 'succeeded')).retries).toBe(0);
    expect(runs.toSorted()).toEqual(ids.toSorted());
    expect(events.filter(({ name }) => name === 'database.retried')).not.toEqual([]);
    expect(events.filter(({ name }) => name === 'database.error')).toEqual([]);
  });

  it('answers the ids of the rows that are there, also where enqueues collide', async () => {
    services++;
    const all = await onEach();
    const sql = await schema.connect();
    // To a member, two entries of it are the same that differ for everybody else by a NULL.
    await sql.query('CREATE UNIQUE INDEX colliding ON pq_job (service, type, reference)');
    const retries: QueueEvent[] = [];
    for (const { events } of all)
      events.events$.subscribe((event) => event.name === 'database.retried' && retries.push(event));
    const ids: string[] = [];
    for (let round = 0; round < 30; round++) {
      const enqueued = await Promise.all(all.map(({ queue }) => queue.enqueue('t')));
      ids.push(...enqueued.map(({ id }) => id));
    }
    await sql.query('DROP INDEX colliding ON pq_job');
    expect(retries).not.toEqual([]);
    const rows: { id: string }[] = await sql.query('SELECT id FROM pq_job WHERE service = ?', [all[0]!.service]);
    expect(rows.map(({ id }) => Number(id)).toSorted((a, b) => a - b)).toEqual(
      ids.map(Number).toSorted((a, b) => a - b),
    );
  });

  it('numbers jobs in steps, and answers those of one call in their order', async () => {
    services++;
    const [, queue] = (await onEach()) as [QueueFixture, QueueFixture];
    const jobs = await queue.queue.enqueueMany(
      't',
      Array.from({ length: 20 }, (_, payload) => ({ payload })),
    );
    const ids = jobs.map(({ id }) => Number(id));
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    expect(ids[1]! - ids[0]!).toBeGreaterThan(1);
    for (const [payload, { id }] of jobs.entries()) expect((await queue.queue.get(id))?.payload).toBe(payload);
  });

  it('knows on each member what was enqueued on another one, at once', async () => {
    services++;
    const [one, two] = (await onEach()) as [QueueFixture, QueueFixture];
    for (let round = 0; round < 50; round++) {
      const { id } = await one.queue.enqueue('t', round);
      expect((await two.queue.get(id))?.payload).toBe(round);
    }
  });

  it('has one job for a key that is enqueued on all members at the same moment', async () => {
    services++;
    const all = await onEach();
    for (let round = 0; round < 20; round++) {
      const answers = await Promise.all(all.map(({ queue }) => queue.enqueue('t', null, { key: `key-${round}` })));
      expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
      expect(answers.filter(({ created }) => created)).toHaveLength(1);
    }
  });

  it('gives a lock to one of those who ask for it on all members at the same moment', async () => {
    services++;
    const all = await onEach();
    for (let round = 0; round < 20; round++) {
      const answers = await Promise.all(all.map(({ locks }) => locks.tryAcquire(`lock-${round}`, { atMost: '1m' })));
      const taken = answers.filter((lock) => lock !== undefined);
      expect(taken).toHaveLength(1);
      await taken[0]!.release();
    }
  });

  it('fires a schedule once at each of its times, whichever member a node asks', async () => {
    services++;
    const all = await Promise.all(NAMES.map((_, member) => start(on(member), () => undefined)));
    const schedules = all[0]!.app.get(Schedules);
    await schedules.upsert('often', { spec: '@every 1s', type: 'work' });
    const firings = async () => (await schedules.history('often')).map(({ fireTime }) => fireTime.getTime());
    await waitUntil(async () => (await firings()).length >= 3, { describe: 'three firings' });
    await schedules.disable('often');
    const times = await firings();
    const jobs = await all[0]!.queue.find({ type: 'work' });
    expect(jobs.jobs).toHaveLength(times.length);
    expect(new Set(times).size).toBe(times.length);
  });

  describe('while two members change a row at the same moment', () => {
    /** Both commit at once: the first to be ordered in the cluster wins. */
    async function race(
      guarded: (manager: EntityManager) => Promise<boolean>,
      taking: { query: string; parameters: unknown[] },
    ): Promise<string[]> {
      const [here, there] = queues.map(({ dataSource }) => dataSource.createQueryRunner());
      try {
        await here!.startTransaction();
        await there!.startTransaction();
        expect(await guarded(here!.manager)).toBe(true);
        await here!.query('INSERT INTO effect (note) VALUES (1)');
        await there!.query(taking.query, taking.parameters);
        const commits = await Promise.allSettled([here!.commitTransaction(), there!.commitTransaction()]);
        return commits.map(({ status }) => status);
      } finally {
        for (const runner of [here!, there!]) {
          if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
          await runner.release();
        }
      }
    }

    it('lets both go on when the rows are jobs without a key', async () => {
      services++;
      const [one] = (await onEach()) as [QueueFixture];
      const jobs = await one.queue.enqueueMany('t', [{ payload: 1 }, { payload: 2 }]);
      const [here, there] = queues.map(({ dataSource }) => dataSource.createQueryRunner());
      for (let round = 0; round < 5; round++) {
        const statements = [here!, there!].map(async (runner, index) => {
          await runner.startTransaction();
          await runner.query('UPDATE pq_job SET fence = fence + 1 WHERE id = ?', [jobs[index]!.id]);
        });
        await Promise.all(statements);
        await Promise.all([here!.commitTransaction(), there!.commitTransaction()]);
      }
      await Promise.all([here!.release(), there!.release()]);
    });

    it('lets one of them have it: who writes under a lock, or who takes it over', async () => {
      services++;
      const [one] = (await onEach()) as [QueueFixture];
      for (let round = 0; round < 5; round++) {
        const held = { name: `lock-${round}`, token: randomUUID() };
        await one.lockRepository.take({ ...held, owner: 'one', atMost: 60_000 });
        const outcome = await race((manager) => one.lockRepository.holdIn(manager, held), {
          query: "UPDATE pq_lock SET fence = fence + 1, token = 'two' WHERE service = ? AND name = ?",
          parameters: [one.service, held.name],
        });
        expect(outcome.toSorted()).toEqual(['fulfilled', 'rejected']);
      }
    });

    it('lets one of them have it: who saves a step, or who takes its job away', async () => {
      services++;
      const [one] = (await onEach()) as [QueueFixture];
      const node = await one.registerNode();
      for (let round = 0; round < 5; round++) {
        await one.queue.enqueue('t');
        const claimed = await one.claimOne(node, 't');
        const end = { name: 'step', kind: 'step', parent: '', place: 1, state: 'succeeded', attempts: 1 } as const;
        const times = { startedAt: performance.now(), endedAt: performance.now() };
        const nothing = { result: undefined, context: undefined, error: undefined };
        const outcome = await race(
          async (manager) => (await one.steps.saveIn(manager, claimed, { ...end, ...times, ...nothing })) === 'saved',
          { query: 'UPDATE pq_job SET fence = fence + 1 WHERE id = ?', parameters: [claimed.id] },
        );
        expect(outcome.toSorted()).toEqual(['fulfilled', 'rejected']);
      }
    });
  });

  it('goes on with another member when that of a worker is killed, and the member may come back', async () => {
    services++;
    const begun = deferred();
    const end = deferred();
    const port = cluster.members[0]!.port;
    const addresses = [2, 0].map((member) => ({ address: cluster.members[member]!.host, family: 4 }));
    // As a host name that has two addresses.
    const lookup = (_: string, __: unknown, done: (error: null, found: object[]) => void) => done(null, addresses);
    const stream = () => connect({ host: 'galera', port, lookup: lookup as never, autoSelectFamily: true });
    const worker = await start({ ...on(2), extra: { stream } }, async () => {
      begun.resolve();
      await end.promise;
      return 'done';
    });
    const { id } = await worker.queue.enqueue('work');
    await begun.promise;
    await cluster.members[2]!.kill();
    end.resolve();
    const job = await waitUntil(
      async () => {
        const found = await worker.queue.get(id).catch(() => undefined);
        return found?.state === 'succeeded' ? found : undefined;
      },
      { timeout: 20_000, describe: 'the end of the job on another member' },
    );
    expect(job?.result).toBe('done');
    expect((await worker.queue.history(id)).map(({ outcome }) => outcome)).toEqual(['succeeded']);
    await cluster.members[2]!.start();
    const back = await start(on(2));
    expect((await back.queue.get(id))?.state).toBe('succeeded');
  }, 90_000);

  it('takes the jobs of a worker whose member is isolated, and what it writes later changes nothing', async () => {
    services++;
    const runs: string[] = [];
    const begun = deferred();
    const end = deferred();
    const late = deferred();
    const lone = await start(on(1), async (_, job) => {
      runs.push('isolated');
      begun.resolve();
      await end.promise;
      late.resolve();
      return `isolated, aborted: ${job.signal.aborted}`;
    });
    const { id } = await lone.queue.enqueue('work');
    await begun.promise;
    const observer = await schema.connect();
    const startedAt = async () =>
      (await observer.query('SELECT started_at FROM pq_job WHERE id = ?', [id]))[0].started_at;
    await waitUntil(async () => Number(await startedAt()) > 0, { describe: 'the start of the job to be known' });
    await cluster.members[1]!.isolate();
    const other = await start(on(0), () => {
      runs.push('other');
      return 'other';
    });
    const ended = await waitUntil(
      async () => {
        const job = await other.queue.get(id).catch(() => undefined);
        return job?.state === 'succeeded' ? job : undefined;
      },
      { timeout: 30_000, describe: 'the job on the other worker' },
    );
    expect(ended?.result).toBe('other');
    end.resolve();
    await late.promise;
    await cluster.members[1]!.rejoin();
    // It has found itself dead, and is a node like others again.
    const next = await other.queue.enqueueMany(
      'work',
      Array.from({ length: 20 }, () => ({ payload: null })),
    );
    for (const one of next) await other.waitFor(one.id, 'succeeded');
    await waitUntil(async () => (await lone.queue.get(id).catch(() => undefined))?.result === 'other');
    expect((await other.queue.history(id)).map(({ outcome }) => outcome)).toEqual(['crashed', 'succeeded']);
    expect(runs.slice(0, 2)).toEqual(['isolated', 'other']);
  }, 120_000);
});
